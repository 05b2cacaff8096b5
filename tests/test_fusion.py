import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reranksmart.ranking.fusion import FUSIONS, fuse, reciprocal_rank, weighted


def random_scores(seed: int, queries: int, depth: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    cosines = -np.sort(-rng.uniform(-1, 1, (queries, depth)), axis=1)
    return cosines.astype(np.float32), (5 * rng.standard_normal((queries, depth))).astype(np.float32)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), queries=st.integers(1, 30), depth=st.integers(1, 12), weight=st.floats(0, 1))
def test_every_query_is_fused_and_for_itself(seed: int, queries: int, depth: int, weight: float) -> None:
    """The published code fused only the first n_images captions, and crashed on enlarged galleries."""
    cosines, log_odds = random_scores(seed, queries, depth)
    for method in FUSIONS:
        together = fuse(method, cosines, log_odds, weight=weight)
        alone = [fuse(method, cosines[[row]], log_odds[[row]], weight=weight)[0] for row in range(queries)]
        assert np.array_equal(together, np.stack(alone))


def test_the_weight_is_the_retrievers_share() -> None:
    """The published code's "rank" swapped what the weights meant."""
    cosines, log_odds = np.float32([[0.9, 0.5, 0.1]]), np.float32([[-2, 0, 7]])
    for method in ("weighted", "weighted_probability", "reciprocal_rank"):
        assert np.argsort(-fuse(method, cosines, log_odds, weight=1.0)).tolist() == [[0, 1, 2]]
        assert np.argsort(-fuse(method, cosines, log_odds, weight=0.0)).tolist() == [[2, 1, 0]]


def test_without_the_retriever_probabilities_order_as_log_odds_however_sure() -> None:
    log_odds = np.random.default_rng(0).uniform(10, 40, (50, 20)).astype(np.float32)
    cosines = np.random.default_rng(1).uniform(-1, 1, (50, 20)).astype(np.float32)
    fused = fuse("weighted_probability", cosines, log_odds, weight=0.0)
    assert np.array_equal(np.argsort(fused, kind="stable"), np.argsort(log_odds, kind="stable"))


def test_weighted_probability_orders_as_its_definition_does_where_that_is_exact() -> None:
    cosines, log_odds = random_scores(3, 50, 20)
    for weight in (0.1, 0.5, 0.9):
        defined = (1 - weight) / (1 + np.exp(-log_odds.astype(np.float64))) + weight * cosines
        fused = fuse("weighted_probability", cosines, log_odds, weight=weight)
        assert np.array_equal(np.argsort(fused), np.argsort(defined))


def test_ranks_are_ranks_and_not_positions() -> None:
    """The published code's "rank" took one argsort, which lists positions, for the ranks of the items."""
    cosines, log_odds = np.float32([[0.9, 0.8, 0.7, 0.6]]), np.float32([[3, 9, 1, 5]])
    expected = [[0.5 / (60 + r) + 0.5 / (60 + c) for r, c in zip([3, 1, 4, 2], [1, 2, 3, 4], strict=True)]]
    assert reciprocal_rank(cosines, log_odds) == pytest.approx(np.array(expected), rel=1e-6)


def test_negative_scores_are_normalised_to_0_1() -> None:
    """The published code's min-max took the minimum's absolute value, so negative log-odds left the range."""
    log_odds = np.float32([[-9, -3, -5], [4, 4, 4]])
    fused = weighted(np.zeros_like(log_odds), log_odds, weight=0.0)
    assert fused == pytest.approx(np.array([[0, 1, 2 / 3], [0, 0, 0]]))


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.1, 10), shift=st.floats(-10, 10))
def test_normalised_fusion_ignores_scale_and_offset_of_either_side(seed: int, scale: float, shift: float) -> None:
    cosines, log_odds = random_scores(seed, 3, 6)
    moved = (scale * log_odds.astype(np.float64) + shift).astype(np.float32)
    assert weighted(cosines, moved, weight=0.3) == pytest.approx(weighted(cosines, log_odds, weight=0.3), abs=1e-4)


def test_equal_scores_share_their_rank() -> None:
    fused = reciprocal_rank(np.zeros((1, 3), np.float32), np.float32([[1, 1, 0]]))
    assert fused[0, 0] == fused[0, 1] > fused[0, 2]


def test_no_fusion_is_the_reranker_alone() -> None:
    cosines, log_odds = random_scores(0, 4, 5)
    assert np.array_equal(fuse("none", cosines, log_odds), log_odds)


@pytest.mark.parametrize(
    ("method", "reranker", "weight", "message"),
    [
        ("wieghted", np.zeros((2, 3)), 0.5, "'wieghted' is not known.*reciprocal_rank"),
        ("weighted", np.zeros((2, 4)), 0.5, r"\(2, 3\) and \(2, 4\)"),
        ("weighted", np.zeros((2, 3)), 1.5, "1.5 is outside 0..1"),
    ],
)
def test_bad_fusion_is_an_error(method: str, reranker: np.ndarray, weight: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fuse(method, np.zeros((2, 3), np.float32), reranker.astype(np.float32), weight=weight)
