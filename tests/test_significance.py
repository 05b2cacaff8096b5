import itertools

import numpy as np
import pandas as pd
import pytest

from reranksmart.evaluation.significance import aggregate_seeds, compare, holm
from reranksmart.values.records import Direction

T2I, I2T = Direction.TEXT_TO_IMAGE, Direction.IMAGE_TO_TEXT
RECALLS = ("R@1", "R@5", "R@10")


def frame_of(hits: np.ndarray) -> pd.DataFrame:
    """(images, captions an image) hits as the text-to-image values of a system."""
    images, per_image = hits.shape
    index = pd.Index([f"c{n}" for n in range(hits.size)], name="query")
    frame = pd.DataFrame({name: hits.ravel().astype(float) for name in RECALLS}, index=index)
    frame.insert(0, "image", np.repeat([f"i{n:03}" for n in range(images)], per_image))
    return frame


def images_frame_of(hits: np.ndarray) -> pd.DataFrame:
    index = pd.Index([f"i{n:03}" for n in range(len(hits))], name="query")
    frame = pd.DataFrame({name: hits.astype(float) for name in RECALLS}, index=index)
    frame.insert(0, "image", index)
    return frame


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_p_value_of_few_images_is_exact() -> None:
    a, b = rng(1).random((2, 6, 3)) < 0.5
    found = compare([({T2I: frame_of(a)}, {T2I: frame_of(b)})], measure="R@1", direction=T2I, rng=rng())
    shares = (a.astype(int) - b.astype(int)).sum(axis=1)
    flipped = [abs(np.dot(signs, shares)) for signs in itertools.product((1, -1), repeat=6)]
    assert found.p_value == pytest.approx(np.mean(np.array(flipped) >= abs(shares.sum())))
    assert found.difference == pytest.approx(100 * (a.mean() - b.mean()))


def test_p_values_of_equal_systems_are_about_uniform_though_captions_share_an_image() -> None:
    p_values = []
    for trial in range(200):
        generator = rng(trial)
        hard = generator.random((2, 40, 1)) < 0.5  # which images a system finds hard, shared by their captions
        a, b = (generator.random((2, 40, 5)) < 0.9) & hard
        found = compare(
            [({T2I: frame_of(a)}, {T2I: frame_of(b)})],
            measure="R@1",
            direction=T2I,
            rng=generator,
            draws=300,
            resamples=10,
        )
        p_values.append(found.p_value)
    assert np.mean(np.array(p_values) < 0.05) <= 0.10
    assert 0.4 <= np.mean(p_values) <= 0.6


def test_a_clearly_better_system_is_found_better() -> None:
    a, b = rng(0).random((200, 5)) < 0.8, rng(1).random((200, 5)) < 0.6
    found = compare([({T2I: frame_of(a)}, {T2I: frame_of(b)})], measure="R@1", direction=T2I, rng=rng())
    assert found.p_value < 0.001
    assert 0 < found.low < found.difference < found.high


def test_equal_systems_differ_by_nothing_with_p_1() -> None:
    a = frame_of(rng(0).random((20, 5)) < 0.8)
    found = compare([({T2I: a}, {T2I: a})], measure="R@1", direction=T2I, rng=rng())
    assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_systems_that_differ_on_one_image_prove_nothing() -> None:
    hits = np.zeros((20, 1), dtype=bool)
    better = hits.copy()
    better[3] = True
    found = compare([({T2I: frame_of(better)}, {T2I: frame_of(hits)})], measure="R@1", direction=T2I, rng=rng())
    assert (found.difference, found.p_value) == (5, 1)


def test_mean_recall_joins_both_directions_over_the_same_images() -> None:
    hits = [rng(seed).random((30, 5)) < 0.5 for seed in range(2)]
    answers = [rng(seed).random(30) < 0.5 for seed in range(2, 4)]
    systems = [{T2I: frame_of(hits[n]), I2T: images_frame_of(answers[n])} for n in range(2)]
    found = compare([tuple(systems)], measure="mR", direction=None, rng=rng())
    expected = 50 * (hits[0].mean() - hits[1].mean() + answers[0].mean() - answers[1].mean())
    assert found.difference == pytest.approx(expected)
    rsum = compare([tuple(systems)], measure="rsum", direction=None, rng=rng())
    assert rsum.difference == pytest.approx(6 * expected)
    assert rsum.p_value == found.p_value
    assert (found.direction, found.queries, found.images) == ("both", 180, 30)


def runs_of(generator: np.random.Generator, *, seeds: int, spread: float, images: int = 60) -> list:
    """Two systems that are equal but for their seeds, on images that are hard for both; ``spread``: of a seed's level."""
    hard = generator.random((images, 1)) * 0.6
    return [
        tuple(
            {T2I: frame_of(generator.random((images, 3)) < 0.2 + hard + generator.normal(0, spread))} for _ in range(2)
        )
        for _ in range(seeds)
    ]


@pytest.mark.parametrize("spread", [0.0, 0.05, 0.2])
def test_equal_systems_are_seldom_found_different_over_seeds_and_images(spread: float) -> None:
    p_values, covered = [], []
    for trial in range(200):
        generator = rng(trial)
        runs = runs_of(generator, seeds=3, spread=spread)
        found = compare(runs, measure="R@1", direction=T2I, rng=generator, draws=1000, resamples=200)
        p_values.append(found.p_value)
        covered.append(found.low <= 0 <= found.high)
    assert np.mean(np.array(p_values) < 0.05) <= 0.08
    assert np.mean(covered) >= 0.92


def test_seeds_that_differ_widen_the_interval_of_the_same_mean() -> None:
    levels = {"alike": (0.7, 0.7, 0.7), "apart": (0.5, 0.7, 0.9)}
    hits = {level: rng(0).random((100, 5)) < level for level in (0.5, 0.7, 0.9)}
    base = {T2I: frame_of(rng(1).random((100, 5)) < 0.6)}
    widths = {}
    for name, chosen in levels.items():
        runs = [({T2I: frame_of(hits[level])}, base) for level in chosen]
        found = compare(runs, measure="R@1", direction=T2I, rng=rng())
        widths[name] = found.high - found.low
        assert (found.seeds, found.seeds_of_sign) == (3, 3 if name == "alike" else 2)
    assert widths["apart"] > 5 * widths["alike"]


def test_a_gain_in_every_seed_is_found_over_three() -> None:
    runs = [
        tuple({T2I: frame_of(rng(10 * seed + n).random((200, 5)) < level)} for n, level in enumerate((0.8, 0.6)))
        for seed in range(3)
    ]
    found = compare(runs, measure="R@1", direction=T2I, rng=rng())
    assert found.p_value < 0.02
    assert 0 < found.low < found.difference < found.high


def test_holm_adjusts_as_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])


def test_order_of_queries_does_not_matter() -> None:
    a, b = frame_of(rng(0).random((20, 5)) < 0.8), frame_of(rng(1).random((20, 5)) < 0.6)
    straight = compare([({T2I: a}, {T2I: b})], measure="R@1", direction=T2I, rng=rng())
    shuffled = compare([({T2I: a}, {T2I: b.sample(frac=1, random_state=0)})], measure="R@1", direction=T2I, rng=rng())
    assert straight == shuffled


def test_systems_with_other_queries_are_an_error() -> None:
    a = frame_of(np.ones((4, 2)))
    with pytest.raises(ValueError, match="'c7'"):
        compare([({T2I: a}, {T2I: a.iloc[:-1]})], measure="R@1", direction=T2I, rng=rng())
    with pytest.raises(ValueError, match="system b has no text-to-image"):
        compare([({T2I: a}, {})], measure="R@1", direction=T2I, rng=rng())
    with pytest.raises(ValueError, match="needs a direction"):
        compare([({T2I: a}, {T2I: a})], measure="R@1", direction=None, rng=rng())
    with pytest.raises(ValueError, match=r"'R@2' is not known.*R@10"):
        compare([({T2I: a}, {T2I: a})], measure="R@2", direction=T2I, rng=rng())


def measures(values: dict[int, float]) -> pd.DataFrame:
    rows = [
        {"system": "be", "measure": "R@1", "seed": seed, "value": value, "low": value - 1, "high": value + 1}
        for seed, value in values.items()
    ]
    return pd.DataFrame(rows).assign(queries=10, images=2, pairs_scored=0)


def test_seeds_become_mean_and_sample_standard_deviation() -> None:
    row = aggregate_seeds(measures({1: 70, 2: 72, 3: 74})).iloc[0]
    assert (row["value"], row["sd"], row["seeds"]) == (72, 2, 3)
    assert np.isnan(row["low"])


def test_one_seed_keeps_its_interval_and_has_no_deviation() -> None:
    row = aggregate_seeds(measures({1: 70})).iloc[0]
    assert (row["value"], row["low"], row["high"], row["seeds"]) == (70, 69, 71, 1)
    assert np.isnan(row["sd"])


def test_one_seed_given_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"two rows for.*'seed': 1"):
        aggregate_seeds(pd.concat([measures({1: 70}), measures({1: 71})]))
