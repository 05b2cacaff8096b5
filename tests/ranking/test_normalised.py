"""Hubs pushed back by a bank of other queries."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reranksmart.ranking.normalised import Normalisation, choose_normalisation, retrieve_normalised
from reranksmart.ranking.search import build_index, retrieve
from reranksmart.values.records import Direction, Embeddings, Relevance


def embedded(count: int, *, seed: int, hub: float = 0.0, name: str = "e") -> Embeddings:
    """Unit vectors; with ``hub`` the first ones lean towards one direction, as all queries do."""
    vectors = np.random.default_rng(seed).standard_normal((count, 8)).astype(np.float32)
    vectors[: count // 4, 0] += hub
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Embeddings(tuple(f"{name}{row}" for row in range(count)), vectors)


@given(st.integers(0, 1000), st.floats(0, 1), st.integers(1, 40))
@settings(max_examples=25)
def test_a_bank_of_one_point_changes_no_order(seed: int, weight: float, nearest: int) -> None:
    queries, gallery, bank = (embedded(size, seed=seed + size) for size in (5, 30, 1))
    hubness = Normalisation(weight, nearest).hubness(gallery.vectors, bank.vectors)
    plain = retrieve(queries, gallery.ids, build_index(gallery.vectors), depth=30)
    assert (retrieve_normalised(queries, gallery, hubness, depth=30).items == plain.items).all()


def test_scores_are_the_published_formula() -> None:
    queries, gallery, bank = (embedded(size, seed=size) for size in (6, 40, 25))
    hubness = Normalisation(0.75, 4).hubness(gallery.vectors, bank.vectors)
    found = retrieve_normalised(queries, gallery, hubness, depth=12)
    for row, query in enumerate(queries.vectors):
        expected = {}
        for item, vector in enumerate(gallery.vectors):
            nearest = sorted((float(vector @ point) for point in bank.vectors), reverse=True)[:4]
            expected[item] = float(query @ vector) - 0.75 * sum(nearest) / 4
        order = sorted(expected, key=lambda item: -expected[item])[:12]
        assert found.items[row].tolist() == order
        np.testing.assert_allclose(found.scores[row], [expected[item] for item in order], atol=1e-5)


def test_dev_chooses_a_weight_that_brings_back_what_hubs_hid_and_none_where_there_are_no_hubs() -> None:
    """A quarter of the items lean to where all queries are, so that they come first for everyone."""
    rng = np.random.default_rng(3)
    items = embedded(80, seed=1, hub=3.0, name="i")

    def asking(hub: float, seed: int) -> Embeddings:
        vectors = items.vectors + rng.normal(0, 0.25, items.vectors.shape).astype(np.float32)
        vectors[:, 0] += hub
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return Embeddings(tuple(f"c{seed}/{row}" for row in range(80)), vectors.astype(np.float32))

    chosen = []
    for hub in (1.5, 0.0):
        bank, dev = asking(hub, 1), asking(hub, 2)
        truth = Relevance(dev.ids, items.ids)
        chosen.append(choose_normalisation(dev, items, bank.vectors, truth, Direction.TEXT_TO_IMAGE))
        test = asking(hub, 3)
        plain, better = (
            retrieve_normalised(test, items, one.hubness(items.vectors, bank.vectors), depth=1).items[:, 0]
            for one in (Normalisation(0.0, 1), chosen[-1])
        )
        right = [(first == np.arange(80)).mean() for first in (plain, better)]
        assert right[1] > right[0] if hub else right[1] >= right[0] - 0.05
    assert chosen[0].weight > 0
