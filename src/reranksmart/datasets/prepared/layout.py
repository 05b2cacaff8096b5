"""Where a prepared split keeps its pictures, and which images it has."""

import hashlib
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reranksmart.files.picture_folders import LeftOut
from reranksmart.files.storage import read_captions, read_jsonl

IMAGES_FILE = "images.jsonl"
"""The image ids of a split where captions do not describe them all, one a line."""
RELEVANT_FILE = "relevant.jsonl"
"""Pairs of caption and image, one a line, that are true beside those in captions.jsonl."""


@dataclass(frozen=True)
class Prepared:
    """How many images a split was given, and what was left out."""

    images: int
    left_out: tuple[LeftOut, ...] = ()


FOILS_FILE = "foils.jsonl"
"""The image ids that stand for another one's picture with a caption that is false of it, one a line."""

_LONGEST_NAME = 255  # bytes, of most file systems
_UNWRITABLE = ("Cc", "Cs")  # control characters, and halves of characters


def picture_path(folder: Path, image_id: str) -> Path:
    """The picture of an image, a file of its own for each id.

    Its name is the id below the dataset in one level, with ``__`` for each slash; where the id has that itself or the
    name is too long for a file, it is the digest.
    """
    dataset, _, rest = image_id.partition("/")
    if not dataset or not rest.strip("./") or any(unicodedata.category(letter) in _UNWRITABLE for letter in rest):
        raise ValueError(f"image id {image_id!r} is not a dataset, a slash and a name; rename the image.")
    name = rest.replace("/", "__")
    if "__" in rest or len(name.encode()) > _LONGEST_NAME:
        name = hashlib.sha256(rest.encode()).hexdigest()
    return folder / "images" / name


def pictures_of_shard(folder: Path, *, shard: int, shards: int) -> list[tuple[str, Path]]:
    """Id and picture of each image in one share of a prepared split, in its order; none where there are more shards
    than images."""
    image_ids = read_image_ids(folder)
    shares = np.array_split(np.array(image_ids), min(shards, len(image_ids)))
    mine = shares[shard].tolist() if shard < len(shares) else []
    return [(image_id, picture_path(folder, image_id)) for image_id in mine]


def read_image_ids(folder: Path) -> list[str]:
    """The images of a prepared split, each once: those listed, or where none are those that its captions describe."""
    described = read_captions(folder / "captions.jsonl").image_ids
    if described and not (folder / IMAGES_FILE).exists():
        return list(dict.fromkeys(described))
    rows = read_jsonl(folder / IMAGES_FILE)
    if not all(isinstance(row.get("image_id"), str) for row in rows):
        raise ValueError(f"{folder / IMAGES_FILE} has a line without image_id; delete {folder} to have it made again.")
    return [row["image_id"] for row in rows]


def read_foils(folder: Path) -> frozenset[str]:
    """The images of a prepared split that stand for false captions; none where every caption is true of its image."""
    path = folder / FOILS_FILE
    return frozenset(row["image_id"] for row in read_jsonl(path)) if path.exists() else frozenset()
