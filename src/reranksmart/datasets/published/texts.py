"""Published text files: lines, lists, tables and JSON, with faults that name the file and the line."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reranksmart.files.reading import most_unpacked, require_fetched

MEND = "Mend the record or fetch the file again."
AGAIN = "Fetch the file again, or set the dataset's folder to where it is."


def require_known(value: Any, known: Iterable[Any], what: str) -> None:
    """ValueError unless the value is one of the known ones."""
    if value not in (known := list(known)):
        raise ValueError(f"{what} {value!r} is unknown; there are {known}. Use one of these.")


def field_of(row: Any, key: str, kind: type, place: str) -> Any:
    """The value of a record's key; ValueError where it is missing or of another type."""
    value = row.get(key) if isinstance(row, Mapping) else None
    if not isinstance(value, kind):
        raise ValueError(f"{place}: {key!r} must be there and be a {kind.__name__}, got {value!r}. {MEND}")
    return value


def plain_or_gzip(path: Path) -> Path:
    """The path, or where only that exists the path with ``.gz``; ValueError where neither does."""
    for candidate in (path, path.with_name(f"{path.name}.gz")):
        if candidate.is_file():
            return candidate
    raise ValueError(f"neither {path} nor {path.name}.gz exists. {AGAIN}")


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, with or without byte order mark, unpacked if its name ends in ``.gz``."""
    if not path.is_file():
        raise ValueError(f"{path} does not exist or is no file. {AGAIN}")
    require_fetched(path)
    content = path.read_bytes()
    if path.suffix == ".gz":
        most = most_unpacked(len(content))
        try:
            with gzip.open(path) as packed:
                content = packed.read(most + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} cannot be unpacked ({error}): it is cut off or no gzip file. {AGAIN}") from error
        if len(content) > most:
            raise ValueError(f"{path} unpacks to more than {most:,} bytes, which no text does. {AGAIN}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}, line {line}: byte {content[error.start]:#04x} is not UTF-8, the only encoding read. "
            "Convert the file to UTF-8."
        ) from error


def read_lines(path: Path) -> list[str]:
    """The lines of a text file. Only LF and CRLF end one: captions hold other characters that Unicode calls breaks."""
    lines = read_text(path).split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def read_list(path: Path) -> list[str]:
    """The entries of a list file, one a line; ValueError where a line is empty or repeats an entry."""
    first_line: dict[str, int] = {}
    for number, line in enumerate(read_lines(path), start=1):
        entry = line.strip()
        if not entry:
            raise ValueError(f"{path}, line {number} is empty; each line names one image. Remove the line.")
        if entry in first_line:
            raise ValueError(
                f"{path}, line {number}: {entry!r} stands on line {first_line[entry]} already; each image is listed "
                "once. Remove one of the two."
            )
        first_line[entry] = number
    if not first_line:
        raise ValueError(f"{path} is empty; each line names one image. {AGAIN}")
    return list(first_line)


def read_lines_beside(path: Path, count: int, listed: str) -> list[str]:
    """The lines of a file, each of which describes a picture of a list; ValueError unless there are ``count``."""
    lines = read_lines(path)
    if len(lines) != count:
        raise ValueError(
            f"{path} has {len(lines)} lines, but {listed} lists {count} pictures; line i describes picture i, so that "
            "there must be as many. Fetch both files again."
        )
    return lines


def read_json_text(path: Path) -> Any:
    """The value of a JSON file."""
    return _parse_json(read_text(path), f"{path}, ")


def read_json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """Line number from 1 and value of each line of a JSON Lines file; empty lines are left out."""
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            yield number, _parse_json(line, f"{path}, line {number}, as JSON ")


def _parse_json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError(f"{where}this is nested too deep to be a file of captions. {AGAIN}") from error
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{where}line {error.lineno}, column {error.colno}: this is not JSON ({error.msg}). {AGAIN}"
        ) from error


def read_table(path: Path, *, columns: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and row of each record of a table that starts with a header; tabs or commas part its columns.

    ValueError where a column is missing or repeated, a row has more or fewer fields, or a quotation mark is not closed.
    """
    text = read_text(path)
    header_line = text.split("\n", 1)[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in header_line else ",", strict=True)
    header: list[str] = []
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise ValueError(
                f"{path}, from line {line}: {error}. A field with a quotation mark in it is quoted. Mend the row."
            ) from error
        if row is None:
            return
        if not header:
            header = row
            for column in columns:
                if header.count(column) != 1:
                    raise ValueError(
                        f"{path}, line 1: column {column!r} must be there once, among {header}. "
                        "Give the file with its header."
                    )
        elif row:
            if len(row) != len(header):
                raise ValueError(f"{path}, line {line}: {len(row)} fields, not {len(header)} ({header}). Mend the row.")
            yield line, dict(zip(header, row, strict=True))
