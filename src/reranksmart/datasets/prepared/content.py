"""What your own files hold twice, by content: sentences in other letters, pictures saved anew or made smaller."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reranksmart.datasets.prepared.layout import picture_path, read_image_ids
from reranksmart.files.photographs import read_scaled
from reranksmart.files.storage import read_captions
from reranksmart.run.progress import progress
from reranksmart.values.records import Captions, Relevance

_SIDE = 16  # of the thumbnails that are compared
_BITS, _DIFFERENCE = 6, 8.0  # most bits of 64 and most levels of 256, on average, between two of one picture
_SHOWN = 3


@dataclass(frozen=True)
class Doubles:
    """How many ``what`` of split ``second`` split ``first`` has too, and some of them."""

    first: str
    second: str
    what: str
    count: int
    shown: tuple[str, ...]

    def __str__(self) -> str:
        more = ", ..." if self.count > len(self.shown) else ""
        shown = f"{', '.join(self.shown)}{more}"
        return f"split {self.second!r} shares {self.count:,} of its {self.what} with {self.first!r}: {shown}"


def doubles(folders: Mapping[str, Path]) -> list[Doubles]:
    """What every two of these prepared splits share: sentences by their letters and digits, pictures by their looks."""
    sentences = {split: _sentences(folder) for split, folder in folders.items()}
    looks = {split: Looks.of(folder) for split, folder in folders.items()}
    found = []
    for first, second in combinations(folders, 2):
        said = [text for key, text in sentences[second].items() if key in sentences[first]]
        seen = looks[second].like(looks[first])
        for what, items in (("sentences", [repr(text) for text in said]), ("pictures", seen)):
            if items:
                found.append(Doubles(first, second, what, len(items), tuple(items[:_SHOWN])))
    return found


def true_by_content(folders: Sequence[Path]) -> Relevance:
    """The pairs of caption and image besides the described ones: a caption is true of every image that has one of the
    same text, and images of the same bytes have the same captions."""
    captions = Captions.concatenated(read_captions(folder / "captions.jsonl") for folder in folders)
    described = set(zip(captions.ids, captions.image_ids, strict=True))
    paths = [(image, picture_path(folder, image)) for folder in folders for image in read_image_ids(folder)]
    digests = {image: hashlib.sha256(path.read_bytes()).hexdigest() for image, path in paths if path.is_file()}
    showing = _grouped((digests.get(image, image), image) for image, _ in paths)
    texts = list(zip(captions.languages, map(_letters, captions.texts), strict=True))
    saying = _grouped((text, digests.get(image, image)) for text, image in zip(texts, captions.image_ids, strict=True))
    pairs = [
        (caption, image)
        for caption, text in zip(captions.ids, texts, strict=True)
        for digest in saying[text]
        for image in showing[digest]
    ]
    more = [pair for pair in dict.fromkeys(pairs) if pair not in described]
    return Relevance(tuple(caption for caption, _ in more), tuple(image for _, image in more))


def _grouped(pairs: Iterable[tuple[Hashable, str]]) -> dict[Hashable, list[str]]:
    """The values of each key, each once, in order."""
    found: dict[Hashable, dict[str, None]] = defaultdict(dict)
    for key, value in pairs:
        found[key][value] = None
    return {key: list(values) for key, values in found.items()}


def _letters(text: str) -> str:
    """The words of a text, without case and punctuation."""
    return " ".join(re.findall(r"\w+", text.casefold())) or text.strip()


def _sentences(folder: Path) -> dict[tuple[str, str], str]:
    captions = read_captions(folder / "captions.jsonl")
    pairs = zip(captions.languages, captions.texts, strict=True)
    return {(language, _letters(text)): text for language, text in pairs}


@dataclass(frozen=True)
class Looks:
    """Of N pictures: which neighbouring thumbnail pixels rise (N,) uint64, and the thumbnails (N, 16 x 16 x 3) uint8."""

    images: tuple[str, ...]
    rises: NDArray[np.uint64]
    thumbnails: NDArray[np.uint8]

    @classmethod
    def of(cls, folder: Path) -> "Looks":
        """Those of the pictures of a prepared split, as far as it has any."""
        paths = [(image, picture_path(folder, image)) for image in read_image_ids(folder)]
        there = [(image, path) for image, path in paths if path.is_file()]
        looks = [
            _look(path) for _, path in progress(there, what=f"compare pictures of {folder.name}", total=len(there))
        ]
        rises = np.array([rise for rise, _ in looks], dtype=np.uint64)
        thumbnails = np.array([thumbnail for _, thumbnail in looks], dtype=np.uint8).reshape(len(there), _SIDE**2 * 3)
        return cls(tuple(image for image, _ in there), rises, thumbnails)

    def like(self, others: "Looks") -> list[str]:
        """The images of these that look as one of the others."""
        found = []
        for image, rise, thumbnail in zip(self.images, self.rises, self.thumbnails, strict=True):
            near = np.flatnonzero(np.bitwise_count(others.rises ^ rise) <= _BITS)
            apart = np.abs(others.thumbnails[near].astype(np.int16) - thumbnail)
            if (apart.mean(axis=1) <= _DIFFERENCE).any():
                found.append(image)
        return found


def _look(path: Path) -> tuple[int, NDArray[np.uint8]]:
    """The difference hash of a picture (Krawetz 2013), and its thumbnail's values, 0 to 255."""
    picture = read_scaled(path, side=64)
    grey = np.asarray(picture.convert("L").resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    bits = np.packbits(grey[:, 1:] > grey[:, :-1])
    thumbnail = np.asarray(picture.resize((_SIDE, _SIDE), Image.Resampling.BOX), dtype=np.uint8)
    return int.from_bytes(bits.tobytes(), "big"), thumbnail.reshape(-1)
