"""PictureStore: the files of pictures themselves, for models whose library reads them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import ClassVar

import numpy as np

from reranksmart.files.image_store import INDEX_FILE, ImagesById, all_texts, write_index
from reranksmart.files.reading import reading
from reranksmart.files.writing import atomic_directory


@dataclass(frozen=True)
class PictureStore(ImagesById):
    """Where the pictures of N images are."""

    image_ids: tuple[str, ...]
    paths: tuple[Path, ...]

    kind: ClassVar[str] = "pictures"
    what = "picture"

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def bytes_per_image(self) -> float:
        """Of the pictures' files, on average."""
        return float(np.mean([path.stat().st_size for path in self.paths]))

    def take(self, rows: Iterable[int]) -> "PictureStore":
        """Only these images, in this order."""
        chosen = list(rows)
        return PictureStore(tuple(self.image_ids[row] for row in chosen), tuple(self.paths[row] for row in chosen))

    @staticmethod
    def concatenated(stores: "Sequence[PictureStore]") -> "PictureStore":
        """The images of several stores in one."""
        ids, paths = (tuple(chain.from_iterable(getattr(s, name) for s in stores)) for name in ("image_ids", "paths"))
        return PictureStore(ids, paths)

    def save(self, folder: Path) -> None:
        """Writes ids and absolute paths as a folder with ``index.json``; all of it or nothing."""
        with atomic_directory(folder) as target:
            paths = [str(path.resolve()) for path in self.paths]
            write_index(target, {"kind": "pictures", "image_ids": list(self.image_ids), "paths": paths})

    @staticmethod
    def open(folder: Path) -> "PictureStore":
        """The store in ``folder``."""
        with reading(folder, remedy="Delete the folder; the rule that made it makes it again."):
            index = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))
            return PictureStore(all_texts(index["image_ids"]), tuple(map(Path, all_texts(index["paths"]))))
