"""Small squares of an index's pictures, made when they are indexed: the page decodes no picture to show a list."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps

from reranksmart.files.photographs import read_scaled
from reranksmart.files.reading import reading

SIDE = 256
_JPEGS, _PLACES = "thumbnails.jpegs", "thumbnails.npz"


@dataclass(frozen=True)
class Thumbnails:
    """The middle square of each picture as a JPEG, one after another in ``jpegs``, which ``ends`` (N,) divides.

    ``shapes`` (N,) are width / height of the whole pictures, upright.
    """

    jpegs: NDArray[np.uint8]
    ends: NDArray[np.int64]
    shapes: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, row: int) -> bytes:
        return self.jpegs[self.ends[row - 1] if row else 0 : self.ends[row]].tobytes()

    @staticmethod
    def open(folder: Path) -> "Thumbnails":
        """Those of a part of an index, memory-mapped."""
        with reading(folder / _PLACES), np.load(folder / _PLACES) as places:
            ends, shapes = places["ends"], places["shapes"]
            jpegs = np.memmap(folder / _JPEGS, mode="r", dtype=np.uint8)
            if ends.dtype != np.int64 or shapes.dtype != np.float32 or not (np.isfinite(shapes) & (shapes > 0)).all():
                raise ValueError("its arrays are not those of thumbnails")
            if len(ends) != len(shapes) or (np.diff(ends, prepend=0) <= 0).any() or ends[-1] != len(jpegs):
                raise ValueError(f"its places are not those of {_JPEGS}, which has {len(jpegs):,} bytes")
        return Thumbnails(jpegs, ends, shapes)


def write_thumbnails(folder: Path, pictures: Sequence[Path]) -> None:
    """Writes the thumbnails of these pictures, in their order; raises as ``read_photograph`` does."""
    ends, shapes = [], []
    with (folder / _JPEGS).open("wb") as file:
        for path in pictures:
            small = read_scaled(path, side=SIDE)
            buffer = io.BytesIO()
            ImageOps.fit(small, (SIDE, SIDE)).save(buffer, "JPEG", quality=80)
            file.write(buffer.getvalue())
            ends.append(file.tell())
            shapes.append(small.width / small.height)
    np.savez(folder / _PLACES, ends=np.array(ends, np.int64), shapes=np.array(shapes, np.float32))
