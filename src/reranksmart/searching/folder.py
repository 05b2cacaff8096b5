"""An index on disk: two models, and parts that are each written whole and never changed.

``index.json`` holds the settings, ``retriever/`` and ``reranker/`` the models (one folder where they are one), and
``parts/0000/``, ``parts/0001/``, ... pictures with their vectors and regions, each the addition of one moment.
"""

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import faiss

from reranksmart.files.links import link_folder
from reranksmart.files.reading import reading
from reranksmart.files.storage import read_captions, read_json, read_jsonl, write_captions, write_json, write_jsonl
from reranksmart.files.writing import atomic_directory
from reranksmart.inputs.images import open_store
from reranksmart.ranking.absence import ABSENCE_FILE, Absence
from reranksmart.ranking.search import read_index
from reranksmart.searching.sight import Seen
from reranksmart.searching.thumbnails import Thumbnails, write_thumbnails
from reranksmart.values.records import Captions, Direction
from reranksmart.values.settings import Frozen

FORMAT = 2
SETTINGS_FILE = "index.json"
SEEN_FOLDER = "regions"  # the first indexes kept nothing else
NO_CAPTIONS = Captions((), (), (), ())


class IndexSettings(Frozen):
    """How an index reads: tokens of a caption and of object tags, regions of a picture, each role's folder."""

    name: str
    max_tokens: int
    max_regions: int
    retriever: str = "retriever"
    reranker: str = "reranker"
    tag_tokens: int = 0
    reranker_max_tokens: int | None = None
    retriever_source: str | None = None
    """The name or folder by which a user gave the model; None where the workflow made the index."""
    reranker_source: str | None = None
    format: int = FORMAT


@dataclass(frozen=True)
class PictureFile:
    """A picture of an index: where it is, and its content's digest, by which doubles are known."""

    id: str
    path: Path
    sha256: str


@dataclass(frozen=True)
class Part:
    """Pictures with their vectors (faiss, in the order of ``pictures``) and what the reranker reads of them: regions,
    pixels or vision states; captions of them if there are."""

    pictures: tuple[PictureFile, ...]
    images: faiss.Index
    seen: Seen
    captions: Captions = NO_CAPTIONS
    caption_vectors: faiss.Index | None = None
    thumbnails: Thumbnails | None = None  # as soon as it is written


def picture_digest(path: Path) -> str:
    """The SHA-256 of a picture's file; FileNotFoundError where there is none."""
    if not path.is_file():
        raise FileNotFoundError(
            f"the picture {path} is missing; an index shows its pictures. Put it there, or leave its split out."
        )
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_index_settings(folder: Path) -> IndexSettings:
    """The settings; FileNotFoundError or ValueError where the folder is no index that can be read."""
    path = folder / SETTINGS_FILE
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} is no index ({SETTINGS_FILE} is missing); make one by `reranksmart gallery` or the rule searchable."
        )
    found = read_json(path)
    kind = found.get("format") if isinstance(found, dict) else None
    if kind != FORMAT:
        raise ValueError(f"{path}: format {kind!r}, but this version reads {FORMAT}. Make the index again.")
    with reading(path, remedy="Make the index again."):
        return IndexSettings.model_validate(found, strict=True)


def source_of(model: Path | str) -> str:
    """By what a model is known that was given as a folder or as a name on the hub."""
    return str(Path(model).resolve()) if Path(model).exists() else str(model)


def require_made_with(folder: Path, *, retriever: str | None, reranker: str | None) -> None:
    """ValueError where the index in ``folder`` was made with other models than these; None asks for none."""
    settings = read_index_settings(folder)
    for role, asked, made in (
        ("retriever", retriever, settings.retriever_source),
        ("reranker", reranker, settings.reranker_source),
    ):
        if asked is not None and made is not None and source_of(asked) != made:
            raise ValueError(
                f"the index {folder} was made with the {role} {made}, which reads otherwise than {source_of(asked)}: their "
                f"vectors are not compared. Leave --{role} out, or name another --index for this one."
            )


def require_replaceable(folder: Path, pictures: Sequence[Path]) -> None:
    """ValueError where an index made in ``folder`` would take the place of anything but an index, or of its pictures."""
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists() and not (folder / SETTINGS_FILE).is_file():
        raise ValueError(
            f"{folder} exists and is no index; making one there would delete it. An index takes the place of an earlier "
            "one only: name a new folder for it."
        )
    for own in pictures:
        if own.resolve().is_relative_to(folder.resolve()):
            raise ValueError(
                f"the pictures {own} lie in the index {folder}; making it again would delete them. Pictures and index "
                "lie apart: name another folder for the index."
            )


def write_index_settings(folder: Path, settings: IndexSettings) -> None:
    write_json(folder / SETTINGS_FILE, settings.model_dump())


def take_absence(measured: Path, folder: Path) -> None:
    """Puts into an index what its models learned on dev; ValueError where ``measured`` is no such file."""
    shutil.copyfile(measured / ABSENCE_FILE if measured.is_dir() else measured, folder / ABSENCE_FILE)
    read_absence(folder)


def read_absence(folder: Path) -> dict[Direction, Absence]:
    """How the models score what is there, by direction, in the first language measured; empty where nobody knows."""
    path = folder / ABSENCE_FILE
    if not path.is_file():
        return {}
    with reading(path, remedy="Take it from an evaluation's folder below results/absence again."):
        learned = next(iter(read_json(path).values()))
        return {Direction(way): Absence(**{**found, "found": tuple(found["found"])}) for way, found in learned.items()}


def part_folders(folder: Path) -> list[Path]:
    """The folders of all parts, oldest first."""
    return sorted(path for path in (folder / "parts").iterdir() if path.name.isdigit())


def part_folder(index: Path, number: int) -> Path:
    return index / "parts" / f"{number:04d}"


def write_part(index: Path, part: Part, *, number: int, seen: Path | None = None) -> None:
    """Writes one part whole; ``seen`` is a folder that holds what is seen already and is linked instead."""
    with atomic_directory(part_folder(index, number)) as target:
        rows = ({"id": one.id, "path": _kept(one.path, index), "sha256": one.sha256} for one in part.pictures)
        write_jsonl(target / "pictures.jsonl", rows)
        faiss.write_index(part.images, str(target / "images.faiss"))
        if seen is None:
            part.seen.save(target / SEEN_FOLDER)
        else:
            link_folder(seen, target / SEEN_FOLDER)
        write_thumbnails(target, [one.path for one in part.pictures])
        write_captions(target / "captions.jsonl", part.captions)
        if part.caption_vectors is not None:
            faiss.write_index(part.caption_vectors, str(target / "captions.faiss"))


def read_part(folder: Path, *, index: Path) -> Part:
    """The part in ``folder`` of ``index``, what is seen of its pictures memory-mapped."""
    with reading(folder / "pictures.jsonl", remedy="Make the index again."):
        pictures = tuple(
            PictureFile(row["id"], Path(os.path.normpath(index.resolve() / row["path"])), row["sha256"])
            for row in read_jsonl(folder / "pictures.jsonl")
        )
    captions = read_captions(folder / "captions.jsonl")
    vectors = read_index(folder / "captions.faiss") if len(captions) else None
    images = read_index(folder / "images.faiss")
    thumbnails = Thumbnails.open(folder)
    seen = open_store(folder / SEEN_FOLDER)
    sizes = {"images.faiss": images.ntotal, "the thumbnails": len(thumbnails), SEEN_FOLDER: len(seen)}
    if wrong := {name: size for name, size in sizes.items() if size != len(pictures)}:
        raise ValueError(
            f"{folder} lists {len(pictures):,} pictures in pictures.jsonl, but {next(iter(wrong))} has"
            f" {next(iter(wrong.values())):,}. A part is written whole; make the index again with `reranksmart gallery`."
        )
    return Part(pictures, images, seen, captions, vectors, thumbnails)


def _kept(path: Path, index: Path) -> str:
    """An absolute path as it is; a relative one from the index, so that both can be moved together."""
    return str(path) if path.is_absolute() else os.path.relpath(path, index.resolve())
