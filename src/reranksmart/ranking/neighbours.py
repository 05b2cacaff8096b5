"""Re-ranking beyond the first k candidates at the same number of pairs: graph-based adaptive re-ranking.

Items near to one that the reranker finds good are probably good as well, wherever the retriever ranks them (MacAvaney,
Tonellotto and Macdonald 2022). Batches of pairs are taken in turn from the retriever's ranking and from the neighbours of
what was judged so far, those of the best first.
"""

from collections.abc import Callable
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from reranksmart.inputs.stored import CaptionInputs, ImageInputs
from reranksmart.models.interface import CrossEncoder
from reranksmart.ranking.gpu_index import to_device
from reranksmart.ranking.reranking import score_pairs
from reranksmart.ranking.search import build_index, search
from reranksmart.values.records import Direction, Ranking

BATCH = 5
Rows = NDArray[np.int64]
Score = Callable[[Rows, Rows], NDArray[np.float32]]
"""Log-odds (P,) of the queries at rows (P,) with the gallery's items at rows (P,)."""


def graph_of(vectors: NDArray[np.float32], *, neighbours: int) -> NDArray[np.int32]:
    """The rows (N, M) of the ``neighbours`` nearest other items of each."""
    rows, _ = search(to_device(build_index(vectors)), vectors, depth=min(neighbours + 1, len(vectors)))
    own = rows == np.arange(len(rows))[:, None]
    own[~own.any(axis=1), -1] = True  # among equals it may not find itself
    return rows[~own].reshape(len(rows), -1)


def pair_scorer(
    model: CrossEncoder, captions: CaptionInputs, images: ImageInputs, way: Direction, queries: Rows, items: Rows
) -> Score:
    """A cross-encoder's log-odds, of queries and items that are at these rows of captions or images."""
    return lambda asked, near: score_pairs(model, captions, images, *way.pair(queries[asked], items[near]), quiet=True)


class _Asked:
    """One query: what is left of the retriever's ranking, what was judged, and what its neighbours promise."""

    def __init__(self, ranked: list[int]) -> None:
        self.ranked = ranked
        self.judged: dict[int, float] = {}
        self.promised: dict[int, float] = {}

    def next(self, count: int, *, by_graph: bool) -> list[int]:
        """The next items to judge; where one source is empty, of the other."""
        by_rank = (item for item in self.ranked if item not in self.judged)
        near = sorted(self.promised, key=lambda item: -self.promised[item])
        first, second = (near, by_rank) if by_graph else (by_rank, near)
        chosen = list(islice(first, count))
        return chosen + list(islice((item for item in second if item not in chosen), count - len(chosen)))

    def learn(self, item: int, score: float, near: list[int]) -> None:
        self.judged[item] = score
        self.promised.pop(item, None)
        for other in near:
            if other not in self.judged:
                self.promised[other] = max(score, self.promised.get(other, -np.inf))


def rerank_with_neighbours(
    candidates: Ranking, graph: NDArray[np.int32], score: Score, *, pairs: int, batch: int = BATCH
) -> Ranking:
    """The judged items of each query, ``pairs`` of them, by log-odds; below them the others in the retriever's order.

    ``graph`` (N, M) holds rows of the gallery; with M = 0 this is the plain re-ranking of the first ``pairs`` candidates.
    """
    pairs = min(pairs, candidates.depth)
    asked = [_Asked(row.tolist()) for row in candidates.items]
    near = graph.tolist()
    for turn, start in enumerate(range(0, pairs, batch)):
        chosen = [one.next(min(batch, pairs - start), by_graph=turn % 2 == 1) for one in asked]
        rows = np.repeat(np.arange(len(asked)), [len(items) for items in chosen])
        items = np.array([item for own in chosen for item in own], dtype=np.int64)
        for row, item, found in zip(rows.tolist(), items.tolist(), score(rows, items).tolist(), strict=True):
            asked[row].learn(item, found, near[item])
    ordered = [[*one.judged, *(item for item in one.ranked if item not in one.judged)] for one in asked]
    kept = np.array([items[: candidates.depth] for items in ordered], dtype=np.int32).reshape(candidates.items.shape)
    falling = np.broadcast_to(-np.arange(candidates.depth, dtype=np.float32), kept.shape)
    first = Ranking(candidates.query_ids, candidates.gallery_ids, kept, falling)
    return first.rescored(np.array([list(one.judged.values()) for one in asked], dtype=np.float32))
