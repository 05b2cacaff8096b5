"""Depth by query and joined scores, chosen on dev."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reranksmart.ranking.calibration import Calibration, within_pairs, within_risk
from reranksmart.values.records import Ranking

Q, K = 400, 10


def drawn(seed: int, queries: int = Q) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Cosines, log-odds and relevance of queries whose two scores know different things, five queries an image."""
    rng = np.random.default_rng(seed)
    relevant = np.zeros((queries, K), dtype=bool)
    relevant[np.arange(queries), rng.integers(0, K, queries)] = True
    cosines = 0.5 * relevant + rng.normal(0, 0.25, (queries, K))
    order = np.argsort(-cosines, axis=1)
    relevant, cosines = (np.take_along_axis(values, order, axis=1) for values in (relevant, cosines))
    log_odds = 3 * relevant + rng.normal(0, 2, (queries, K))
    return cosines.astype(np.float32), log_odds.astype(np.float32), relevant, np.arange(queries) // 5


def ranked(scores: np.ndarray, cosines: np.ndarray) -> np.ndarray:
    """The candidates of each query in their new order."""
    ids = tuple(map(str, range(len(cosines))))
    first = Ranking(ids, tuple(map(str, range(K))), np.tile(np.arange(K), (len(cosines), 1)), cosines)
    return first.rescored(scores).items


def hits(chosen: Calibration, cosines: np.ndarray, log_odds: np.ndarray, relevant: np.ndarray) -> float:
    items = ranked(chosen.scores(cosines, log_odds), cosines)
    return float(np.take_along_axis(relevant, items, axis=1)[:, 0].mean())


@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0, 50))
@settings(max_examples=50)
def test_candidates_beyond_a_query_s_depth_keep_their_place(seed: int, gap: float, weight: float) -> None:
    cosines, log_odds, _, _ = drawn(seed, queries=20)
    chosen = Calibration(weight, gap)
    items = ranked(chosen.scores(cosines, log_odds), cosines)
    for row, depth in enumerate(chosen.depths(cosines)):
        assert items[row, depth:].tolist() == list(range(depth, K))


def test_a_gap_of_nothing_is_the_retriever_and_costs_no_pair() -> None:
    cosines, log_odds, _, _ = drawn(1)
    chosen = Calibration(5.0, 0.0)
    assert (ranked(chosen.scores(cosines, log_odds), cosines) == np.arange(K)).all()
    assert chosen.pairs(cosines).sum() == 0


def test_without_weight_and_limit_the_order_is_the_rerankers() -> None:
    cosines, log_odds, _, _ = drawn(2)
    chosen = Calibration(0.0, np.inf)
    assert (ranked(chosen.scores(cosines, log_odds), cosines) == np.argsort(-log_odds, axis=1, kind="stable")).all()


def test_the_choice_beats_either_score_alone_on_other_queries() -> None:
    chosen = within_pairs(*drawn(3)[:3])
    held_out = drawn(4, queries=4 * Q)[:3]
    assert hits(chosen, *held_out) > hits(Calibration(0.0, np.inf), *held_out)
    assert hits(chosen, *held_out) > hits(Calibration(0.0, 0.0), *held_out)


@pytest.mark.parametrize("most", [0.0, 1.0, 3.0, 6.0])
def test_the_pairs_on_dev_stay_within_the_limit(most: float) -> None:
    cosines, log_odds, relevant, _ = drawn(5)
    assert within_pairs(cosines, log_odds, relevant, most_pairs=most).pairs(cosines).mean() <= most


@pytest.fixture
def risk(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark that resplits real scores."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    return import_module("risk")


def test_the_risk_is_kept_at_the_stated_confidence_and_a_broken_calibration_is_found_out(risk: ModuleType) -> None:
    pool = risk.Scored(*drawn(99, queries=5_000))
    proven = partial(risk.proven, risk=0.1, confidence=0.9)
    kept = risk.within(risk.resplit(proven, pool, images=80, times=200), 0.1)["kept_population"]
    assert kept >= 171  # of 200, at 0.9: fewer has a probability under 2 %
    kept = risk.within(risk.resplit(partial(risk.broken, risk=0.1), pool, images=80, times=40), 0.1)["kept_population"]
    assert kept < 31  # of 40, at 0.9: as few has a probability under 2 %


def test_too_few_images_to_prove_a_risk_mean_full_depth() -> None:
    cosines, log_odds, relevant, image = drawn(7)
    chosen = within_risk(cosines, log_odds, relevant, image, risk=0.001, confidence=0.9)
    assert (chosen.depths(cosines) == K).all()
