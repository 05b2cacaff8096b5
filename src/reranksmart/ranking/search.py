"""Nearest-neighbour search with faiss by inner product: exact, or approximate by factory string."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from reranksmart.files.reading import reading
from reranksmart.values.records import Embeddings, Ranking

_FEW_THREADS = 4


def build_index(vectors: NDArray[np.float32], *, factory: str = "Flat") -> faiss.Index:
    """A faiss index of the vectors (N, D) by inner product; ValueError where faiss cannot make ``factory`` of them.

    Of inverted lists an eighth is searched: a factory string cannot say it, and faiss would search a single one.
    """
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    try:
        index = faiss.index_factory(vectors.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
        if not index.is_trained:
            index.train(vectors)
    except RuntimeError as error:
        reason = str(error).rsplit(": ", maxsplit=1)[-1]
        raise ValueError(
            f"{factory!r} is not an index that faiss can make of {len(vectors):,} vectors ({reason}). "
            "Use a factory string such as 'Flat', 'HNSW32' or 'IVF64,Flat', which needs 64 vectors at least."
        ) from error
    index.add(vectors)
    if (inverted := faiss.try_extract_index_ivf(index)) is not None:
        inverted.nprobe = max(1, inverted.nlist // 8)
    return index


def read_index(path: Path) -> faiss.Index:
    """The index in a file that faiss wrote; ValueError where it is damaged."""
    with reading(path, remedy="Delete its folder; rule index makes it again."):
        path.stat()  # faiss has one error for a missing and a damaged file
        index = faiss.read_index(str(path))
        if index.metric_type != faiss.METRIC_INNER_PRODUCT:
            raise ValueError(f"it compares by metric {index.metric_type}, not by inner product")
        return index


def to_device(index: faiss.Index) -> faiss.Index:
    """The index on a GPU where faiss and the machine have one, else unchanged."""
    if hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus():
        return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
    return index


def search(
    index: faiss.Index, queries: NDArray[np.float32], *, depth: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The rows (Q, K) and inner products (Q, K) of each query's ``depth`` nearest vectors, best first.

    ValueError where the index holds fewer, or an approximate index finds fewer.
    """
    if not 1 <= depth <= index.ntotal:
        raise ValueError(
            f"depth {depth} is outside 1..{index.ntotal}, the vectors of the index. Choose a depth in between."
        )
    with _threads_that_pay(len(queries)):
        scores, rows = index.search(np.ascontiguousarray(queries, dtype=np.float32), depth)
    if (rows < 0).any():
        raise ValueError(
            f"the index found fewer than {depth} vectors for some query; ask for fewer, or use an index of fewer lists or an "
            "exact one ('Flat')"
        )
    return rows.astype(np.int32), scores


@contextmanager
def _threads_that_pay(queries: int) -> Iterator[None]:
    """One thread for one query where there are few, else all of them.

    For fewer queries than threads, faiss since 1.14.2 gives each thread a share of the vectors and multiplies matrices
    instead of scanning; for one query that costs a thread three to four times as much (benchmarks/single_query.py).
    """
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1 if queries == 1 and threads <= _FEW_THREADS else threads)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def retrieve(queries: Embeddings, gallery_ids: Sequence[str], index: faiss.Index, *, depth: int) -> Ranking:
    """The ``depth`` items of the gallery nearest to each query (fewer where the gallery is smaller)."""
    rows, scores = search(index, queries.vectors, depth=min(depth, index.ntotal))
    return Ranking(queries.ids, tuple(gallery_ids), rows, scores)
