"""Captions in a table of your own, joined with the pictures that it names: each row is used, or left out with a reason."""

import csv
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from reranksmart.files.picture_folders import LeftOut
from reranksmart.files.picture_names import PictureNames
from reranksmart.files.reading import reading, require_fetched
from reranksmart.files.storage import read_jsonl
from reranksmart.values.records import Captions

_KEYS = ("text", "image")
_COLUMNS = (*_KEYS, "id", "language")
_SEPARATORS = (",", ";", "\t")
_JSON_ENDINGS, _TABLE_ENDINGS = (".json", ".jsonl", ".ndjson"), (".csv", ".tsv")
_NAMED = 10  # nearest names looked for

Row = tuple[int, dict[str, Any]]


def read_rows(path: Path) -> list[Row]:
    """The rows of a captions file with their lines: a table with a line of column names (commas, semicolons or tabs), JSON
    Lines, or one JSON list.

    The ending says which (.csv, .tsv; .jsonl, .json), with any other the first sign. ValueError names the line where a row
    does not keep to CSV's quotation marks and columns: half of a text would be lost in silence.
    """
    if not path.is_file():
        raise ValueError(
            f"{path} is not a file; set the split's captions to a JSON Lines or CSV file, or leave it out."
        )
    require_fetched(path)
    ending = path.suffix.lower()
    with reading(path, remedy="Save it again in UTF-8."), path.open(encoding="utf-8-sig") as file:
        first = file.read(1)
        while first.isspace():
            first = file.read(1)
    if ending in _JSON_ENDINGS or (ending not in _TABLE_ENDINGS and first in ("{", "[")):
        return _read_list(path) if first == "[" else list(enumerate(read_jsonl(path), start=1))
    return _read_table(path)


def _read_list(path: Path) -> list[Row]:
    with reading(path, remedy="Mend the file, or save its rows as JSON Lines."):
        rows = json.loads(path.read_text(encoding="utf-8-sig"))
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise ValueError(f"{path}, entry {number}: not a JSON object but {str(row)[:80]!r}; each row is an object.")
    return list(enumerate(rows, start=1))


def _read_table(path: Path) -> list[Row]:
    with reading(path, remedy="Save the table again as CSV in UTF-8."):
        text = path.read_bytes().decode("utf-8-sig")
    header = text.partition("\n")[0].strip("\r")
    separator = max(_SEPARATORS, key=lambda sign: len(set(_COLUMNS) & set(header.replace('"', "").split(sign))))
    table = csv.DictReader(StringIO(text, newline=""), delimiter=separator, strict=True)
    rows = list(_rows_of(table, path))
    columns = list(table.fieldnames or [])
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise ValueError(f"{path}: column {twice[0]!r} stands in its first line twice. Remove or rename one.")
    if not set(_KEYS) <= set(columns):
        raise ValueError(
            f"{path}: its first line names the columns {columns}; text and image are needed, id and language may "
            "be given. Name the columns in the first line."
        )
    return rows


def _rows_of(table: "csv.DictReader[str]", path: Path) -> Iterator[Row]:
    while True:
        try:
            row = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            line = table.reader.line_num
            if "field limit" in str(error):
                raise ValueError(
                    f"{path}, line {line}: a text of more than {csv.field_size_limit():,} characters, which no caption is. A "
                    "quotation mark before it may lack its other one; else shorten the text."
                ) from error
            raise ValueError(
                f"{path}, line {line}: {error}. A text with a quotation mark or separator stands in quotation "
                'marks, and a quotation mark in it is written twice ("", not \\").'
            ) from error
        if None in row:
            columns = list(table.fieldnames or [])
            raise ValueError(
                f"{path}, line {table.line_num}: more fields than the {len(columns)} columns {columns}. Put a text "
                "that holds a comma (in .tsv a tab) into quotation marks."
            )
        yield table.line_num, {key: value for key, value in row.items() if value not in (None, "")}


def read_file_captions(
    path: Path, *, dataset: str, languages: Sequence[str], pictures: PictureNames
) -> tuple[Captions, list[LeftOut]]:
    """The captions whose picture is there, and the others with the nearest name that is.

    Each row has text, image and, where there are several languages, language; without an id it is the image's and a
    number. Ids are prefixed by the dataset; image ids are the pictures' own names. ValueError names the row that lacks a
    key, repeats an id, has an empty text or an unknown language, or says that no row's picture is there.
    """
    rows = read_rows(path)
    if not rows:
        raise ValueError(f"{path} holds no caption; each line needs the keys {list(_KEYS)}.")
    seen: Counter[str] = Counter()
    ids, texts, image_ids, spoken = [], [], [], []
    left_out: list[LeftOut] = []
    for line, row in rows:
        _require_row(path, line, row, languages)
        found = pictures.find(row["image"])
        if found is None:
            near = pictures.nearest(row["image"]) if len(left_out) < _NAMED else None
            hint = f"; the nearest name is {near!r}" if near else ""
            reason = f"no picture {row['image']!r} below the folder{hint}"
            left_out.append(LeftOut(f"{path}, line {line}", reason, "captions whose picture is not there"))
            continue
        image_id = f"{dataset}/{found}"
        ids.append(f"{dataset}/{row['id']}" if "id" in row else f"{image_id}#{seen[image_id]}")
        seen[image_id] += 1
        texts.append(row["text"])
        image_ids.append(image_id)
        spoken.append(row.get("language", languages[0]))
    if not ids:
        raise ValueError(
            f"none of the {len(rows):,} captions names a picture that is there. {left_out[0].what}: {left_out[0].reason}. "
            "Give the names as paths below the folder of pictures, or another folder."
        )
    try:
        return Captions(tuple(ids), tuple(texts), tuple(image_ids), tuple(spoken)), left_out
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def captions_of_broken(captions: Captions, kept: Collection[str]) -> list[LeftOut]:
    """The captions whose picture is not among the image ids ``kept``."""
    pairs = zip(captions.ids, captions.image_ids, strict=True)
    kind = "captions of broken pictures"
    return [
        LeftOut(f"caption {id_}", f"its picture {image} is broken", kind) for id_, image in pairs if image not in kept
    ]


def _require_row(path: Path, number: int, row: Mapping[str, Any], languages: Sequence[str]) -> None:
    missing = [key for key in _KEYS if not isinstance(row.get(key), str)]
    missing += [key for key in ("id",) if key in row and not isinstance(row[key], str)]
    if missing:
        raise ValueError(
            f"{path}, line {number}: {missing} missing or not text; each line has {list(_KEYS)}. Mend or remove the line."
        )
    language = row.get("language", languages[0])
    if language not in languages:
        raise ValueError(
            f"{path}, line {number}: language {language!r} is not among the dataset's {list(languages)}. "
            "Add it to the dataset's languages or remove the line."
        )
