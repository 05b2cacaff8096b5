"""Published caption files: their lines, tables and JSON, with faults that name the file and the line."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reranksmart.files.reading import most_unpacked
from reranksmart.values.records import Captions

CAPTIONS_PER_IMAGE = 5
_AGAIN = "Fetch the file again, or set the dataset's folder to where it is."


@dataclass(frozen=True)
class PublishedCaption:
    """A caption with the place that it was read at, for faults to name."""

    id: str
    text: str
    image_id: str
    language: str
    place: str


def collect(captions: Iterable[PublishedCaption], *, source: Path) -> Captions:
    """The captions in the order given, their texts stripped; ValueError where one is empty, two share an id, or none is.

    ``source`` is the file or folder that they come from.
    """
    found: dict[str, PublishedCaption] = {}
    for caption in captions:
        if not caption.text.strip():
            raise ValueError(f"{caption.place}: the caption is empty; each needs a text. {_AGAIN}")
        if caption.id in found:
            raise ValueError(
                f"{caption.place}: caption id {caption.id!r} is that of {found[caption.id].place} too; "
                "ids must be unique. Remove one of the two."
            )
        found[caption.id] = caption
    if not found:
        raise ValueError(f"{source} holds no caption of this split. {_AGAIN}")
    return Captions(
        tuple(found),
        tuple(caption.text.strip() for caption in found.values()),
        tuple(caption.image_id for caption in found.values()),
        tuple(caption.language for caption in found.values()),
    )


def with_captions_each(captions: Captions, count: int | None, *, source: Path) -> Captions:
    """The first ``count`` captions of each image in each language, or all for None; ValueError where one has fewer."""
    if count is None:
        return captions
    if count < 1:
        raise ValueError(f"captions per image is {count}; give 1 or more, or none for all.")
    each = Counter(zip(captions.image_ids, captions.languages, strict=True))
    for (image_id, language), number in each.items():
        if number < count:
            raise ValueError(
                f"{source}: image {image_id!r} has {number} captions in {language!r}, not the {count} that are asked "
                "for. Ask for fewer or for all of them, or fetch the file again if it is damaged."
            )
    return captions.first_of_each_image(count)


def of_listed_images(captions: Captions, image_ids: Iterable[str], *, source: Path) -> Captions:
    """The captions of these images, all of which must have one; ``source`` is the file that lists them."""
    listed = tuple(image_ids)
    if missing := sorted(set(listed) - set(captions.image_ids)):
        raise ValueError(
            f"{source}: {len(missing)} of {len(listed)} images have no caption in this split, as {missing[0]!r}. "
            "Give the list and the captions of the same split."
        )
    return captions.of_images(listed)


def first_images(captions: Captions, count: int) -> Captions:
    """The captions of the first ``count`` images, or of all where there are fewer: what a small dev set is."""
    if count < 1:
        raise ValueError(f"cannot take the first {count} images; give 1 or more.")
    return captions.of_images(list(dict.fromkeys(captions.image_ids))[:count])


def require_known(value: Any, known: Iterable[Any], what: str) -> None:
    """ValueError unless the value is one of the known ones."""
    if value not in (known := list(known)):
        raise ValueError(f"{what} {value!r} is unknown; there are {known}. Use one of these.")


def plain_or_gzip(path: Path) -> Path:
    """The path, or where only that exists the path with ``.gz``; ValueError where neither does."""
    for candidate in (path, path.with_name(f"{path.name}.gz")):
        if candidate.is_file():
            return candidate
    raise ValueError(f"neither {path} nor {path.name}.gz exists. {_AGAIN}")


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, with or without byte order mark, unpacked if its name ends in ``.gz``."""
    if not path.is_file():
        raise ValueError(f"{path} does not exist or is no file. {_AGAIN}")
    content = path.read_bytes()
    if path.suffix == ".gz":
        most = most_unpacked(len(content))
        try:
            with gzip.open(path) as packed:
                content = packed.read(most + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} cannot be unpacked ({error}): it is cut off or no gzip file. {_AGAIN}") from error
        if len(content) > most:
            raise ValueError(f"{path} unpacks to more than {most:,} bytes, which no text does. {_AGAIN}")
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
        raise ValueError(f"{path} is empty; each line names one image. {_AGAIN}")
    return list(first_line)


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
        raise ValueError(f"{where}this is nested too deep to be a file of captions. {_AGAIN}") from error
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{where}line {error.lineno}, column {error.colno}: this is not JSON ({error.msg}). {_AGAIN}"
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
