"""Arrays on disk whose number of rows is known only at the end."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray


class GrowingArray:
    """A ``.npy`` file of rows that are appended; whole once ``finish`` has written their number into its header."""

    def __init__(self, path: Path, dtype: DTypeLike, row_shape: tuple[int, ...]) -> None:
        self.file = path.open("wb")
        self.dtype = np.dtype(dtype)
        self.row_shape = row_shape
        self.rows = 0
        self._write_header()
        self.start = self.file.tell()

    def _write_header(self) -> None:
        header: dict[str, Any] = {
            "descr": npy.dtype_to_descr(self.dtype),
            "fortran_order": False,
            "shape": (self.rows, *self.row_shape),
        }
        npy.write_array_header_1_0(self.file, header)  # leaves room for a longer first axis

    def append(self, rows: NDArray[Any]) -> None:
        self.file.write(np.ascontiguousarray(rows, dtype=self.dtype).data)
        self.rows += len(rows)

    def finish(self) -> None:
        self.file.seek(0)
        self._write_header()
        if self.file.tell() != self.start:
            raise RuntimeError("this numpy leaves no room in a .npy header for rows that come later")
