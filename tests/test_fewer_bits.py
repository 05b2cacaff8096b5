"""Precisions against float32 on toy models, and rates of a small network."""

import numpy as np
import pandas as pd
import pytest
from toy import model, training_data

from reranksmart.cost.fewer_bits import bit_costs
from reranksmart.cost.rates import measured_rates, random_captions, random_images
from reranksmart.models.single_stream_config import SingleStreamConfig

DATA, MODEL = training_data(30), model().eval()


@pytest.fixture(scope="module")
def costs() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = bit_costs(
        (MODEL, DATA), (model(seed=3).eval(), DATA), precisions=["bfloat16", "int8"], depth=5, resamples=50, rng=rng
    )
    return pd.DataFrame(rows)


def test_each_direction_stage_and_precision_has_one_row(costs):
    assert len(costs) == 2 * 2 * 3
    assert not costs.duplicated(["direction", "stage", "precision"]).any()


def test_float32_agrees_with_itself(costs):
    exact = costs[costs["precision"] == "float32"]
    assert (exact["overlap"] == 1).all()
    assert (exact[["change", "low", "high"]] == 0).all(axis=None)


def test_fewer_bits_keep_most_of_the_order_and_not_all(costs):
    fewer = costs[costs["precision"] != "float32"]
    assert (fewer["overlap"] > 0.5).all()
    assert (fewer["overlap"] < 1).any()
    assert (fewer["low"] <= fewer["change"]).all()
    assert (fewer["change"] <= fewer["high"]).all()


def test_a_change_is_the_difference_of_two_recalls(costs):
    recall = costs.set_index(["direction", "stage", "precision"])["r_at_1"]
    for key, row in costs.set_index(["direction", "stage", "precision"]).iterrows():
        assert row["change"] == pytest.approx(recall[key] - recall[(*key[:2], "float32")])


def test_every_stage_is_timed_in_every_precision():
    config = SingleStreamConfig(
        embedder="oscar", vocab_size=50, cls_id=2, sep_id=3, pad_id=0, hidden_size=32, layers=1, heads=2,
        intermediate_size=64, feature_size=16,
    )  # fmt: skip
    counts = {"captions": 3, "images": 2, "pairs": 5}
    rows = measured_rates(
        config, precisions=("float32", "bfloat16"), tokens=6, regions=4, counts=counts, repeats=2, seed=1
    )
    frame = pd.DataFrame(rows)
    assert frame.groupby(["stage", "precision"]).size().to_dict() == {
        (stage, precision): 2 for stage in counts for precision in ("float32", "bfloat16")
    }
    assert (frame[["time_ms", "computed_ms"]] > 0).all(axis=None)
    assert dict(zip(frame["stage"], frame["count"], strict=True)) == counts


def test_random_inputs_have_the_lengths_asked_for():
    assert random_captions(3, 7, words=2000, seed=1).lengths.tolist() == [7, 7, 7]
    assert random_images(2, 50, features=8, seed=1).lengths.tolist() == [50, 50]
