"""Nearest-neighbour search with faiss by inner product: exact, or approximate by factory string."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from reranksmart.files.reading import reading
from reranksmart.files.stored_embeddings import StoredEmbeddings
from reranksmart.ranking.gpu_index import GpuIndex, Searchable, filled
from reranksmart.values.factories import learned_from
from reranksmart.values.records import Embeddings, Ranking

_FEW_THREADS = 4
_CELLS_AT_ONCE = 2**24
_REFINED = 10
_ROUNDING = 1e-6  # of unit vectors' inner products as faiss sums them, and more


def build_index(vectors: NDArray[np.float32], *, factory: str = "Flat") -> faiss.Index:
    """A faiss index of the vectors (N, D) by inner product; ValueError where faiss cannot make ``factory`` of them."""
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    return filled(trained_index(vectors, factory=factory), [(vectors, None)])


def trained_index(vectors: NDArray[np.float32] | StoredEmbeddings, *, factory: str) -> faiss.Index:
    """An index without vectors that has learned its lists and codes from a sample of these; ValueError as ``build_index``.

    Of inverted lists an eighth is searched, and ten times as many candidates are refined as are asked: a factory string
    cannot say it, and faiss would search a single list and refine nothing.
    """
    try:
        index = faiss.index_factory(vectors[:1].shape[1], factory, faiss.METRIC_INNER_PRODUCT)
        if isinstance(index, faiss.IndexIVFPQ):
            index.do_polysemous_training = False  # type: ignore[attr-defined]  # a minute for an order of codes that this search never uses
        inverted = faiss.try_extract_index_ivf(index)
        if not index.is_trained:
            index.train(_sample(vectors, most=learned_from(factory)))
    except RuntimeError as error:
        reason = str(error).rsplit(": ", maxsplit=1)[-1]
        raise ValueError(
            f"{factory!r} is not an index that faiss can make of {len(vectors):,} vectors ({reason}). "
            "Use a factory string such as 'Flat', 'HNSW32' or 'IVF64,Flat', which needs 64 vectors at least."
        ) from error
    if isinstance(index, faiss.IndexRefine):
        index.k_factor = _REFINED
    if inverted is not None:
        inverted.nprobe = max(1, inverted.nlist // 8)
    return index


def _sample(vectors: NDArray[np.float32] | StoredEmbeddings, *, most: int) -> NDArray[np.float32]:
    """All vectors, or as many of them, drawn by chance."""
    if len(vectors) <= most:
        return vectors[:]
    return vectors[np.sort(np.random.default_rng(0).choice(len(vectors), most, replace=False))]


def read_index(path: Path) -> faiss.Index:
    """The index in a file that faiss wrote; ValueError where it is damaged.

    Lists that lie in a file beside it, as ``merge_shares`` writes them, are memory-mapped.
    """
    with reading(path, remedy="Delete its folder; rule index makes it again."):
        path.stat()  # faiss has one error for a missing and a damaged file
        index = faiss.read_index(str(path), faiss.IO_FLAG_ONDISK_SAME_DIR | faiss.IO_FLAG_READ_ONLY)
        if index.metric_type != faiss.METRIC_INNER_PRODUCT:
            raise ValueError(f"it compares by metric {index.metric_type}, not by inner product")
        return index


def search(
    index: Searchable, queries: NDArray[np.float32], *, depth: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The rows (Q, K) and inner products (Q, K) of each query's ``depth`` nearest vectors, best first.

    ValueError where the index holds fewer, or an approximate index finds fewer.
    """
    if not 1 <= depth <= index.ntotal:
        raise ValueError(
            f"depth {depth} is outside 1..{index.ntotal}, the vectors of the index. Choose a depth in between."
        )
    rows, scores = _nearest(index, queries, depth)
    _require_found(rows)
    return rows, scores


def _nearest(
    index: Searchable, queries: NDArray[np.float32], depth: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    if queries.shape[1] != index.d:
        raise ValueError(
            f"the queries' vectors have {queries.shape[1]:,} values, those of the index {index.d:,}: they are of two models, or "
            "cut differently. Encode queries and gallery by one model, and make the index again."
        )
    with _threads_that_pay(len(queries)):
        scores, rows = index.search(np.ascontiguousarray(queries, dtype=np.float32), depth)
    return rows.astype(np.int32), scores


def _require_found(rows: NDArray[np.int32]) -> None:
    if (rows < 0).any():
        raise ValueError(
            f"the index found fewer than {rows.shape[1]} vectors for some query; ask for fewer, or use an index of fewer "
            "lists or an exact one ('Flat')"
        )


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


def retrieve(queries: Embeddings, gallery_ids: Sequence[str], index: Searchable, *, depth: int) -> Ranking:
    """The ``depth`` items of the gallery nearest to each query (fewer where the gallery is smaller).

    Where the last place is tied, more are looked at until the tie ends: the rule for ties says what is cut off, too.
    """
    depth, gallery = min(depth, index.ntotal), tuple(gallery_ids)
    wide, open_ = depth, np.arange(len(queries))
    rows = np.empty((len(queries), depth), np.int32)
    scores = np.empty((len(queries), depth), np.float32)
    while len(open_):
        wide = min(4 * wide if wide > depth else depth + 1, index.ntotal)
        tied = []
        for some in np.array_split(open_, -(-len(open_) * wide // _CELLS_AT_ONCE)):
            found, nearness = _nearest(index, queries.vectors[some], wide)
            _require_found(found[:, :depth])
            nearness = _exact_scores(index, queries.vectors[some], found, nearness)
            first = Ranking(tuple(queries.ids[row] for row in some), gallery, found, nearness)
            rows[some], scores[some] = first.items[:, :depth], first.scores[:, :depth]
            tied.append(some[first.scores[:, depth - 1] - first.scores[:, -1] <= _ROUNDING])
        open_ = np.concatenate(tied) if wide < index.ntotal else np.empty(0, np.intp)
    return Ranking(queries.ids, gallery, rows, scores)


def _exact_scores(
    index: Searchable, queries: NDArray[np.float32], rows: NDArray[np.int32], scores: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The inner products again, where the index holds the vectors themselves, so that equal vectors score alike.

    What faiss sums depends on where a vector stands among the others, by up to 2e-7.
    """
    own = faiss.downcast_index(index.index if isinstance(index, GpuIndex) else index)
    if not isinstance(own, faiss.IndexFlat | faiss.IndexHNSWFlat):
        return scores
    exact = np.empty(scores.shape)
    for some in np.array_split(np.arange(len(rows)), -(-rows.size * index.d // _CELLS_AT_ONCE)):
        vectors = own.reconstruct_batch(rows[some].clip(0).ravel().astype(np.int64)).reshape(*rows[some].shape, index.d)
        exact[some] = np.einsum("qd,qkd->qk", queries[some].astype(np.float64), vectors.astype(np.float64))
    return np.where(rows < 0, scores, exact).astype(np.float32)
