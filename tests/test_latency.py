import numpy as np
import pytest
import torch
from toy import model, training_data

from reranksmart.cost.latency import TimedRole, TimedSystem, evaluation_times, grown_gallery, query_times

DATA, MODEL = training_data(20), model().eval()
ROLE = TimedRole(MODEL, DATA.tokens, DATA.regions)
BE = TimedSystem("be", ROLE)
CE = TimedSystem("ce", None, ROLE)
COOP = TimedSystem("coop", ROLE, ROLE)


@pytest.fixture(scope="module")
def rows():
    torch.set_num_threads(1)
    return query_times(
        [BE, CE, COOP],
        gallery_sizes=[20, 200],
        depths=[5, 10],
        queries=3,
        warmup=1,
        pairs_measured=40,
        seed=0,
    )


def test_every_raw_time_is_kept_by_stage(rows):
    stages = {(row["system"], row["depth"]): set() for row in rows}
    for row in rows:
        stages[row["system"], row["depth"]].add(row["stage"])
    assert stages == {
        ("be", 0): {"encode query", "search", "total"},
        ("ce", 0): {"score pairs", "total"},
        ("coop", 5): {"encode query", "search", "score pairs", "total"},
        ("coop", 10): {"encode query", "search", "score pairs", "total"},
    }
    assert len([row for row in rows if row["system"] == "be" and row["stage"] == "total"]) == 2 * 3


def test_only_what_was_not_run_is_called_extrapolated(rows):
    extrapolated = {(row["system"], row["gallery_size"]) for row in rows if row["extrapolated"]}
    assert extrapolated == {("ce", 200)}


def test_the_total_is_the_sum_of_the_stages(rows):
    point = [row for row in rows if row["system"] == "coop" and row["depth"] == 5 and row["gallery_size"] == 20]
    for repeat in range(3):
        times = {row["stage"]: row["time_ms"] for row in point if row["repeat"] == repeat}
        assert times.pop("total") == pytest.approx(sum(times.values()))


def test_a_whole_evaluation_counts_its_pairs():
    found = {row["system"]: row for row in evaluation_times([BE, CE, COOP], depth=5, pairs_measured=100)}
    assert {name: row["pairs"] for name, row in found.items()} == {"be": 0, "ce": 40 * 20, "coop": 40 * 5 + 20 * 5}
    assert {name for name, row in found.items() if row["extrapolated"]} == {"ce"}


def test_a_grown_gallery_begins_with_the_real_vectors():
    real = np.eye(4, dtype=np.float32)
    grown = grown_gallery(real, 10, np.random.default_rng(0))
    assert (grown[:4] == real).all()
    np.testing.assert_allclose(np.linalg.norm(grown, axis=1), 1, rtol=1e-5)
