"""Re-ranking that follows neighbours beyond the first k candidates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reranksmart.ranking.neighbours import graph_of, rerank_with_neighbours
from reranksmart.values.records import Ranking

Q, N, K = 6, 40, 20


class Reranker:
    """Scores from a matrix; notes what it was asked."""

    def __init__(self, seed: int) -> None:
        self.scores = np.random.default_rng(seed).standard_normal((Q, N)).astype(np.float32)
        self.asked: list[tuple[int, int]] = []

    def __call__(self, rows: np.ndarray, items: np.ndarray) -> np.ndarray:
        self.asked += zip(rows.tolist(), items.tolist(), strict=True)
        return self.scores[rows, items]


def retrieved(seed: int) -> Ranking:
    items = np.array([np.random.default_rng(seed + row).permutation(N)[:K] for row in range(Q)], dtype=np.int32)
    falling = np.broadcast_to(np.linspace(1, 0, K, dtype=np.float32), items.shape)
    return Ranking(tuple(map(str, range(Q))), tuple(map(str, range(N))), items, falling)


@given(st.integers(0, 500), st.integers(1, K), st.integers(1, 7))
@settings(max_examples=25)
def test_a_graph_without_edges_gives_the_plain_ranking(seed: int, pairs: int, batch: int) -> None:
    candidates, judge = retrieved(seed), Reranker(seed)
    found = rerank_with_neighbours(candidates, np.empty((N, 0), np.int32), judge, pairs=pairs, batch=batch)
    plain = candidates.rescored(np.take_along_axis(judge.scores, candidates.items[:, :pairs].astype(int), axis=1))
    assert (found.items == plain.items).all()
    assert (found.scores == plain.scores).all()


@given(st.integers(0, 500), st.integers(1, K), st.integers(1, 10))
@settings(max_examples=25)
def test_every_query_costs_as_many_pairs_and_none_twice(seed: int, pairs: int, neighbours: int) -> None:
    graph = graph_of(np.random.default_rng(seed).standard_normal((N, 8)).astype(np.float32), neighbours=neighbours)
    candidates, judge = retrieved(seed), Reranker(seed)
    found = rerank_with_neighbours(candidates, graph, judge, pairs=pairs)
    assert len(set(judge.asked)) == len(judge.asked) == Q * pairs
    for row in range(Q):
        judged = [item for asked, item in judge.asked if asked == row]
        best = sorted(judged, key=lambda item: -judge.scores[row, item])
        assert found.items[row, :pairs].tolist() == best
        rest = [item for item in candidates.items[row].tolist() if item not in judged]
        assert found.items[row, pairs:].tolist() == rest[: K - pairs]


def test_a_right_item_beyond_the_candidates_is_found_by_its_neighbour() -> None:
    candidates, judge = retrieved(1), Reranker(1)
    near, beyond = int(candidates.items[0, 0]), next(item for item in range(N) if item not in candidates.items[0])
    judge.scores[0, near], judge.scores[0, beyond] = 5, 9
    graph = np.array([[beyond if item == near else near] for item in range(N)], dtype=np.int32)
    assert rerank_with_neighbours(candidates, graph, judge, pairs=10).items[0, 0] == beyond


@pytest.mark.parametrize("neighbours", [3, 39, 60])
def test_the_graph_holds_the_nearest_other_items(neighbours: int) -> None:
    vectors = np.random.default_rng(0).standard_normal((N, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1)[:, : min(neighbours, N - 1)]
    assert (graph_of(vectors, neighbours=neighbours) == nearest).all()
