"""When to say that nothing here matches."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from reranksmart.ranking.absence import Absence, best_scores, learn_absence

Q, K = 200, 10


def drawn(seed: int, queries: int = Q) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds and relevance of queries with one right item, which usually scores higher than the wrong ones."""
    rng = np.random.default_rng(seed)
    right = np.arange(K) == rng.integers(0, K, queries)[:, None]
    return (rng.normal(0, 2, (queries, K)) + 7 * right).astype(np.float32), right


def test_the_right_items_are_taken_out_and_nothing_else() -> None:
    scores, right = np.array([[1, 5, 3], [9, 2, 4], [7, 8, 6]], np.float32), np.zeros((3, 3), bool)
    right[0, 1] = right[1, 1] = True
    right[2] = True
    there, gone, first_right = best_scores(scores, right)
    assert (there.tolist(), gone.tolist(), first_right.tolist()) == ([5, 9], [3, 9], [True, False])


@pytest.mark.parametrize("rate", [0.02, 0.05, 0.2])
def test_false_alarms_stay_at_the_rate_that_is_chosen(rate: float) -> None:
    """Over 200 dev sets of their own, one new question each: the promise of split conformal prediction."""
    assert _alarms(learn_absence, rate) <= binom.ppf(0.999, 200 * 20, rate)


def test_a_broken_calibration_fails_the_same_check() -> None:
    def too_strict(scores: np.ndarray, right: np.ndarray) -> Absence:
        learned = learn_absence(scores, right)
        return Absence(learned.slope, learned.intercept, tuple(np.add(learned.found, 1.0)))

    assert _alarms(too_strict, 0.05) > binom.ppf(0.999, 200 * 20, 0.05)


def _alarms(learn, rate: float) -> int:
    """Of 200 x 20 questions whose answer is there, how many are told that nothing matches."""
    found = 0
    for trial in range(200):
        there, _, _ = best_scores(*drawn(10_000 + trial, queries=20))
        found += learn(*drawn(trial)).nothing_matches(there, false_alarms=rate).sum()
    return int(found)


def test_most_absent_things_are_noticed() -> None:
    _, gone, _ = best_scores(*drawn(2, queries=2000))
    assert learn_absence(*drawn(1)).nothing_matches(gone, false_alarms=0.05).mean() > 0.5


def test_no_rate_that_so_few_dev_queries_can_prove_raises_an_alarm() -> None:
    learned = learn_absence(*drawn(1, queries=50))
    assert not learned.nothing_matches(np.array([-1e9]), false_alarms=0.01).any()


def test_probabilities_are_calibrated() -> None:
    """Among answers that are given some probability, about as many are right."""
    learned = learn_absence(*drawn(1, queries=4000))
    there, gone, right = best_scores(*drawn(2, queries=4000))
    given = learned.probability(np.concatenate([there, gone]))
    was_right = np.concatenate([right, np.zeros(len(gone), bool)])
    bins = np.digitize(given, [0.2, 0.4, 0.6, 0.8])
    for one in range(5):
        assert abs(given[bins == one].mean() - was_right[bins == one].mean()) < 0.08


def test_scores_that_part_right_from_wrong_keep_probabilities_finite() -> None:
    scores = np.tile(np.array([100, 1, 0], np.float32), (30, 1))
    learned = learn_absence(scores, scores == 100)
    assert learned.probability(np.array([100.0])) > 0.9
    assert learned.probability(np.array([1.0])) < 0.1


def test_depths_at_which_everything_is_right_are_refused() -> None:
    with pytest.raises(ValueError, match="re-rank deeper"):
        learn_absence(np.ones((3, 2), np.float32), np.ones((3, 2), bool))
