"""Your own pictures, with captions or without: a folder and perhaps a captions file become a split."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from posixpath import normpath
from typing import Any, Literal

from pydantic import Field

from reranksmart.datasets import Dataset
from reranksmart.datasets.prepared.content import doubles
from reranksmart.datasets.prepared.layout import IMAGES_FILE, Prepared, picture_path
from reranksmart.files.picture_folders import Broken, find_pictures, split_broken
from reranksmart.files.reading import reading
from reranksmart.files.storage import read_jsonl, write_captions, write_jsonl
from reranksmart.files.writing import atomic_directory
from reranksmart.regions.settings import RegionFiles
from reranksmart.values.records import Captions
from reranksmart.values.settings import Frozen, Language, Name

_KEYS = ("text", "image")
SKIPPED_FILE = "skipped.jsonl"
OWN = 30_000  # pictures, which nobody has counted yet: as many as Flickr30k's


class FileSplit(Frozen):
    captions: str | None = Field(
        None, description="JSON Lines or CSV file: text, image (path below `images`), id, language; null: no captions"
    )
    images: str = Field(description="folder of pictures, at any depth")


class Files(Dataset):
    """Your own pictures, with captions or without."""

    kind: Literal["files"]
    languages: tuple[Language, ...] = ("en",)
    regions: RegionFiles | None = Field(None, description="null: regions are detected in the pictures")
    splits: dict[Name, FileSplit]
    doubles: Literal["warn", "refuse"] = Field(
        "warn",
        description="where splits share a sentence, or a picture saved anew: say so before training, or refuse it",
    )

    disjoint = True

    def prepare(self, split: str, folder: Path, *, name: str, stamps: Path | None = None) -> Prepared:
        source = self.splits[split]
        captions = Path(source.captions) if source.captions else None
        found = prepare_file_split(folder, captions, Path(source.images), dataset=name, languages=self.languages)
        return Prepared(len(found.image_ids), found.broken)

    def image_count(self, split: str) -> int:
        return OWN

    def has_captions(self, split: str) -> bool:
        return self.splits[split].captions is not None

    def audit(self, folders: Mapping[str, Path], *, stamps: Path | None = None) -> dict[str, int]:
        """Pictures and captions by content and id, which must differ; and sentences and looks, which had better."""
        compared, found = super().audit(folders), doubles(folders)
        told = "".join(f"\n  {one}" for one in found)
        if found and self.doubles == "refuse":
            raise ValueError(
                f"splits share what was not to be shared (doubles: refuse):{told}\nTake it out of one of the two."
            )
        if found:
            print(f"warning: a model may be tested on what it has learned:{told}", file=sys.stderr)
        shared = {f"shared_{one.what}": 0 for one in found}
        for one in found:
            shared[f"shared_{one.what}"] += one.count
        return compared | shared

    def users_files(self, split: str) -> list[str]:
        """The captions, or the folder of pictures without."""
        source = self.splits[split]
        return [source.captions or source.images]


@dataclass(frozen=True)
class PreparedFiles:
    """What became of a folder: its captions (none without a captions file), image ids, and pictures left out."""

    captions: Captions
    image_ids: tuple[str, ...]
    broken: tuple[Broken, ...]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a captions file by its ending: ``.csv`` (or ``.tsv``) with a line of column names, else JSON Lines.

    ValueError where a CSV lacks the columns text and image, or a row does not keep to CSV's quotation marks and columns:
    half of a text would be lost in silence.
    """
    if not path.is_file():
        raise ValueError(
            f"{path} is not a file; set the split's captions to a JSON Lines or CSV file, or leave it out."
        )
    if path.suffix.lower() not in (".csv", ".tsv"):
        return read_jsonl(path)
    remedy = "Save the table again as CSV in UTF-8."
    with reading(path, remedy=remedy), path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True)
        columns = list(table.fieldnames or [])
        if not set(_KEYS) <= set(columns):
            raise ValueError(
                f"{path}: its first line names the columns {columns}; text and image are needed, id and language may "
                "be given. Name the columns in the first line."
            )
        rows = []
        for row in table:
            if None in row:
                raise ValueError(
                    f"{path}, line {table.line_num}: more fields than the {len(columns)} columns {columns}. Put a text "
                    "that holds a comma (in .tsv a tab) into quotation marks."
                )
            rows.append({key: value for key, value in row.items() if value not in (None, "")})
        return rows


def read_file_captions(path: Path, *, dataset: str, languages: Sequence[str]) -> tuple[Captions, dict[str, str]]:
    """The captions of a JSON Lines or CSV file, and the picture's path below the image folder for each image id.

    Each row has text, image and, where there are several languages, language; without an id it is the image's and a
    number. Ids are prefixed by the dataset. ValueError names the row that lacks a key, repeats an id, has an empty text
    or an unknown language.
    """
    rows = read_rows(path)
    if not rows:
        raise ValueError(f"{path} holds no caption; each line needs the keys {list(_KEYS)}.")
    first = 2 if path.suffix.lower() in (".csv", ".tsv") else 1
    seen: Counter[str] = Counter()
    ids, texts, image_ids, spoken, image_of = [], [], [], [], {}
    for number, row in enumerate(rows, start=first):
        _require_row(path, number, row, languages)
        image_id = f"{dataset}/{normpath(row['image'])}"  # ./a.jpg and a.jpg are one picture
        ids.append(f"{dataset}/{row['id']}" if "id" in row else f"{image_id}#{seen[image_id]}")
        seen[image_id] += 1
        texts.append(row["text"])
        image_ids.append(image_id)
        spoken.append(row.get("language", languages[0]))
        image_of[image_id] = row["image"]
    try:
        return Captions(tuple(ids), tuple(texts), tuple(image_ids), tuple(spoken)), image_of
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


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


def prepare_file_split(
    folder: Path, captions_file: Path | None, images: Path, *, dataset: str, languages: Sequence[str]
) -> PreparedFiles:
    """What there is of the split, after writing its captions and links to its pictures into ``folder``.

    Without a captions file every picture below ``images`` belongs to it. Broken pictures are left out with their
    captions and listed in ``skipped.jsonl``. ValueError where a captioned picture is missing or lies outside
    ``images``, or none is whole.
    """
    if not images.is_dir():
        raise ValueError(f"{images} is not a folder; set the split's images to the folder of its pictures.")
    if captions_file is None:
        captions = Captions((), (), (), ())
        sources = {f"{dataset}/{path.relative_to(images).as_posix()}": path.resolve() for path in find_pictures(images)}
    else:
        captions, image_of = read_file_captions(captions_file, dataset=dataset, languages=languages)
        sources = {key: _captioned_picture(captions_file, images, name) for key, name in image_of.items()}
    broken = split_broken(list(sources.values()))[1]
    unreadable = {fault.path for fault in broken}
    kept = {image_id: path for image_id, path in sources.items() if path not in unreadable}
    captions = captions.of_images(kept)
    with atomic_directory(folder) as target:
        (target / "images").mkdir()
        for image_id, source in kept.items():
            link = picture_path(target, image_id)
            if link.is_symlink():
                raise ValueError(f"{source} and {link.readlink()} have the same name {link.name!r} here; rename one.")
            link.symlink_to(source)
        write_captions(target / "captions.jsonl", captions)
        if captions_file is None:
            write_jsonl(target / IMAGES_FILE, ({"image_id": image_id} for image_id in kept))
        write_jsonl(target / SKIPPED_FILE, ({"path": str(one.path), "reason": one.reason} for one in broken))
    return PreparedFiles(captions, tuple(kept), tuple(broken))


def _captioned_picture(captions_file: Path, images: Path, name: str) -> Path:
    """The picture ``name`` below ``images``, resolved."""
    with reading(captions_file, remedy=f"Name a picture below {images} instead of {name[:80]!r}."):
        root = images.resolve()
        source = (root / name).resolve()
    if not source.is_relative_to(root):
        raise ValueError(f"{captions_file}: image {name!r} lies outside {images}; only pictures below it are read.")
    if not source.is_file():
        raise ValueError(
            f"{captions_file}: image {name!r} is not in {images}. Put the picture there or remove its captions."
        )
    return source
