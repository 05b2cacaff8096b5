"""faiss on a GPU, where its wheel and the machine have one: the same neighbours as on the CPU, up to ties."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

MOST_NEIGHBOURS = 2048
"""How many faiss finds for a query on a GPU."""
_KINDS = (faiss.IndexFlat, faiss.IndexIVFFlat, faiss.IndexIVFScalarQuantizer, faiss.IndexIVFPQ)


@dataclass(frozen=True)
class GpuIndex:
    """An index with its copy on a GPU, which is asked; the index itself is, for more neighbours than a GPU finds."""

    index: faiss.Index
    copy: faiss.Index

    @property
    def ntotal(self) -> int:
        return self.index.ntotal

    @property
    def d(self) -> int:
        return self.index.d

    def search(self, queries: NDArray[np.float32], depth: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        return (self.copy if depth <= MOST_NEIGHBOURS else self.index).search(queries, depth)


Searchable = faiss.Index | GpuIndex


def to_device(index: faiss.Index) -> Searchable:
    """The index with a copy on a GPU, if there is one and faiss has this kind there (Flat, and inverted lists of vectors,
    SQ or PQ codes; by cuVS's kernels with a wheel that has them); else the index as it is.

    An index that does not fit stays on the CPU, and that is said.
    """
    if not has_gpu() or not isinstance(faiss.downcast_index(index), _KINDS):
        return index
    try:
        return GpuIndex(index, faiss.index_cpu_to_gpu(_resources(), 0, index))
    except RuntimeError as error:  # faiss has one error for all
        print(f"warning: {index.ntotal:,} vectors are searched on the CPU: {error}", file=sys.stderr)
        return index


Block = tuple[NDArray[np.float32], NDArray[np.int64] | None]
"""Vectors (n, D) and their rows (n,), or None where they follow those that an index has."""


def filled(index: faiss.Index, blocks: Iterable[Block]) -> faiss.Index:
    """The trained index with the vectors of all blocks added; a GPU finds which inverted list each belongs to."""
    inverted = isinstance(faiss.downcast_index(index), faiss.IndexIVF)
    placed = to_device(index) if inverted else index
    into = placed.copy if isinstance(placed, GpuIndex) else placed
    for vectors, rows in blocks:
        if rows is None:
            into.add(vectors)
        else:
            into.add_with_ids(vectors, rows)
    return faiss.index_gpu_to_cpu(into) if isinstance(placed, GpuIndex) else into


def has_gpu() -> bool:
    """Whether faiss is a wheel for GPUs and sees one."""
    return hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0


@cache
def _resources() -> Any:
    """A process's scratch memory on the GPU, made once."""
    return faiss.StandardGpuResources()
