"""Embeddings that stay on the disk: a gallery's splits one after the other, of which some rows are read at a time."""

import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from reranksmart.files.reading import reading, require_whole_archive
from reranksmart.files.storage import read_embedding_ids
from reranksmart.values.records import Embeddings, require_unique

_LOCAL_HEADER, _LENGTHS_AT = 30, 26  # bytes, of a zip archive's member before its name


@dataclass(frozen=True)
class StoredEmbeddings:
    """Ids (N,), the rows (N,) int64 of their vectors among those of all files, and these (n, D) float32, memory-mapped."""

    ids: tuple[str, ...]
    rows: NDArray[np.int64]
    files: tuple[NDArray[np.float32], ...]

    @classmethod
    def open(cls, paths: Sequence[Path]) -> "StoredEmbeddings":
        """The embeddings in files of ``write_embeddings``; ValueError where one is damaged, ids repeat, or lengths differ.

        Ids are read now, vectors when they are asked for; the files' checksums are looked at once.
        """
        ids = tuple(chain.from_iterable(read_embedding_ids(path) for path in paths))
        require_unique(ids, "embedding")
        files = tuple(_mapped_vectors(path) for path in paths)
        if len(ids) != sum(map(len, files)):
            raise ValueError(
                f"{', '.join(map(str, paths))} hold {len(ids):,} ids of {sum(map(len, files)):,} vectors; each has one. Delete "
                "their folders to have them made again."
            )
        if len({file.shape[1] for file in files if len(file)}) > 1:
            listed = ", ".join(f"{path} of {file.shape[1]:,} values" for path, file in zip(paths, files, strict=True))
            raise ValueError(
                f"the vectors of one gallery differ in length: {listed}. They are of several models, or cut differently; "
                "encode all splits by one model."
            )
        return cls(ids, np.arange(len(ids)), files)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def _place_by_id(self) -> dict[str, int]:
        return {id_: place for place, id_ in enumerate(self.ids)}

    def take(self, ids: Sequence[str]) -> "StoredEmbeddings":
        """Those of these ids, in their order; nothing is read."""
        return StoredEmbeddings(tuple(ids), self.rows[[self._place_by_id[id_] for id_ in ids]], self.files)

    def __getitem__(self, chosen: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        """The chosen vectors (n, D), read from the disk; ValueError names one that is no unit vector."""
        places = np.arange(len(self))[chosen]
        rows, start = self.rows[places], 0
        vectors = np.empty((len(rows), self.files[0].shape[1]), np.float32)
        for file in self.files:
            here = (start <= rows) & (rows < start + len(file))
            vectors[here] = file[rows[here] - start]
            start += len(file)
        return Embeddings(tuple(self.ids[place] for place in places), vectors).vectors

    def read(self) -> Embeddings:
        """All of them, in memory."""
        return Embeddings(self.ids, self[:])


def _mapped_vectors(path: Path) -> NDArray[np.float32]:
    """The vectors (n, D) in a file of ``write_embeddings``, which lie in it as they would in memory."""
    name = "vectors.npy"
    with reading(path):
        require_whole_archive(path)
        with zipfile.ZipFile(path) as archive, archive.open(name) as member:
            npy.read_magic(member)
            shape, in_columns, dtype = npy.read_array_header_1_0(member)
            header, start = member.tell(), archive.getinfo(name).header_offset
        if len(shape) != 2 or in_columns or dtype != np.float32:
            raise ValueError(f"vectors are {dtype} {shape}; they must be float32 (N, D)")
        with path.open("rb") as file:
            file.seek(start + _LENGTHS_AT)
            start += _LOCAL_HEADER + sum(struct.unpack("<HH", file.read(4))) + header
        return np.memmap(path, dtype, mode="r", offset=start, shape=shape)
