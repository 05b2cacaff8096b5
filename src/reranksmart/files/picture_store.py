"""PictureStore: the files of pictures themselves, for models whose library reads them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from reranksmart.files.image_store import INDEX_FILE, all_texts, write_index
from reranksmart.files.reading import reading
from reranksmart.files.writing import atomic_directory


@dataclass(frozen=True)
class PictureStore:
    """Where the pictures of N images are."""

    image_ids: tuple[str, ...]
    paths: tuple[Path, ...]

    kind: ClassVar[str] = "pictures"

    def __len__(self) -> int:
        return len(self.image_ids)

    @cached_property
    def row_by_id(self) -> dict[str, int]:
        return {image_id: row for row, image_id in enumerate(self.image_ids)}

    @property
    def bytes_per_image(self) -> float:
        """Of the pictures' files, on average."""
        return float(np.mean([path.stat().st_size for path in self.paths]))

    def rows_of(self, image_ids: Iterable[str]) -> NDArray[np.int64]:
        """The row of each image; KeyError with the first id that is not here."""
        try:
            return np.array([self.row_by_id[image_id] for image_id in image_ids], dtype=np.int64)
        except KeyError as missing:
            raise KeyError(
                f"image {missing.args[0]!r} has no picture here ({len(self)} images have); add it, or remove its captions"
            ) from None

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
