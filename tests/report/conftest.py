"""Made-up long tables in the shape that the workflow makes; no number here was measured."""

import numpy as np
import pandas as pd
import pytest

from reranksmart.report.asked import Asked
from reranksmart.report.scope import Scope

LEVEL = {"be": 79, "joint_be": 81, "sep_coop": 87, "joint_coop": 85, "joint_hard_be": 82, "joint_hard_coop": 86}
EXHAUSTIVE = {"ce": 88, "joint_ce": 86}
RETRIEVERS = ("be", "joint_be", "joint_hard_be")
DEVICE = {"device": "Made-up CPU", "dtype": "float32", "threads": 1}


def experiment_rows(level: float, **keys: object) -> list[dict[str, object]]:
    """The rows of one experiment around R@1 = ``level``."""
    experiment = {
        "backbone": "oscar_small",
        "training_set": "scenes",
        "seed": 1,
        "test_set": "test",
        "language": "en",
        "depth": 20,
        "fusion": "none",
    } | keys
    rows, recalls = [], []
    for direction, lift, queries in (("text-to-image", 0, 1500), ("image-to-text", 3, 300)):
        shared = experiment | {"direction": direction, "queries": queries, "images": 300, "pairs_scored": 30_000}
        for measure, share in (("R@1", 1.0), ("R@5", 0.3), ("R@10", 0.15)):
            value = 100 - (100 - level - lift) * share
            recalls.append(value)
            half = 1.5 if queries == 1500 else 3.4
            rows.append(
                shared | {"measure": measure, "value": value, "low": value - half, "high": min(100, value + half)}
            )
        rows.append(shared | {"measure": "median rank", "value": 1.0, "low": 1.0, "high": 1.0})
    shared = experiment | {"direction": "both", "queries": 1800, "images": 300, "pairs_scored": 60_000}
    mean, total = float(np.mean(recalls)), float(np.sum(recalls))
    rows.append(shared | {"measure": "mR", "value": mean, "low": mean - 1.1, "high": mean + 1.1})
    rows.append(shared | {"measure": "rsum", "value": total, "low": total - 6.6, "high": total + 6.6})
    return rows


def made_up_measures(seed: int = 1) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    shift = {1: 0.0, 2: 0.8, 3: -0.5}[seed]
    for system, level in LEVEL.items():
        depth = 0 if system in RETRIEVERS else 20
        keys = {"system": system, "depth": depth, "seed": seed}
        level = level + shift
        rows += experiment_rows(level, **keys)
        rows += experiment_rows(level - 0.6, test_set="test_first_caption", **keys)
        rows += experiment_rows(level - 14, test_set="unseen", **keys)
        rows += experiment_rows(level - 6, test_set="enlarged", **keys)
        for fraction in ("tenth", "quarter"):
            rows += experiment_rows(
                level - {"tenth": 30, "quarter": 14}[fraction], training_set=f"scenes_{fraction}", **keys
            )
        for language, loss in (("en", 4), ("de", 6), ("fr", 7), ("cs", 9)):
            rows += experiment_rows(level - loss, backbone="m3p_small", language=language, **keys)
    for depth in (5, 10, 50):
        for system in ("sep_coop", "joint_coop"):
            level = LEVEL[system] + shift + {5: -2.5, 10: -0.9, 50: 0.2}[depth]
            rows += experiment_rows(level, system=system, depth=depth, seed=seed)
    for fusion, gain in (("weighted 0.1", 0.4), ("weighted_probability 0.1", 0.3), ("weighted_probability 0.9", -3)):
        rows += experiment_rows(LEVEL["joint_coop"] + shift + gain, system="joint_coop", fusion=fusion, seed=seed)
    for system, level in EXHAUSTIVE.items():
        rows += experiment_rows(level + shift, system=system, depth=0, seed=seed, test_set="test_first_caption")
    return rows


@pytest.fixture(scope="session")
def measures() -> pd.DataFrame:
    """One seed, as ``aggregate_seeds`` leaves it."""
    return pd.DataFrame(made_up_measures()).drop(columns="seed").assign(sd=np.nan, seeds=1)


@pytest.fixture(scope="session")
def scope() -> Scope:
    return Scope(backbone="oscar_small", training_set="scenes", test_set="test", language="en", depth=20)


ROLES = {
    **{name: {"retriever": retriever} for name, retriever in (("be", "be"), ("joint_be", "j"), ("joint_hard_be", "h"))},
    **{name: {"reranker": reranker} for name, reranker in (("ce", "ce"), ("joint_ce", "j"))},
    "sep_coop": {"retriever": "be", "reranker": "ce"},
    "joint_coop": {"retriever": "j", "reranker": "j"},
    "joint_hard_coop": {"retriever": "h", "reranker": "h"},
}


@pytest.fixture(scope="session")
def asked(scope: Scope) -> Asked:
    """Table 1 of the made-up measures."""
    return Asked(
        scope=scope,
        name="made_up",
        systems=("ce", "be", "sep_coop", "joint_be", "joint_ce", "joint_coop"),
        roles=ROLES,
        clocks={
            "be": "be",
            "joint_be": "be",
            "sep_coop": "sep_coop",
            "joint_coop": "sep_coop",
            "ce": "ce",
            "joint_ce": "ce",
        },
        training_sets={"scenes": 1.0},
        test_sets=(("test", ""), ("test_first_caption", "")),
        languages=("en", "de", "fr", "cs"),
        dataset="scenes",
    )


@pytest.fixture(scope="session")
def latency() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for size in (300, 1000, 10_000, 100_000, 1_000_000):
        for system, depths in (("be", (0,)), ("sep_coop", (10, 20, 50)), ("ce", (0,))):
            for depth in depths:
                for repeat in range(3 if system == "ce" else 20):
                    stages = {}
                    if system != "ce":
                        stages = {"encode query": 3.1, "search": 0.05 + size * 3e-5}
                    if system != "be":
                        stages["score pairs"] = 4 + 0.9 * (depth or size)
                    noise = rng.lognormal(0, 0.08)
                    stages["total"] = sum(stages.values())
                    rows += [
                        DEVICE
                        | {
                            "system": system,
                            "gallery_size": size,
                            "depth": depth,
                            "stage": stage,
                            "repeat": repeat,
                            "time_ms": time * noise,
                            "extrapolated": system == "ce" and size > 5000,
                            "real_images": min(size, 1000),
                            "batch": 1,
                        }
                        for stage, time in stages.items()
                    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def evaluation_times() -> pd.DataFrame:
    rows = [("be", 0, 9.2, False), ("sep_coop", 36_000, 61.0, False), ("ce", 450_000, 640.0, True)]
    columns = ["system", "pairs", "seconds", "extrapolated"]
    return pd.DataFrame(rows, columns=columns).assign(queries=1800, images=300, **DEVICE)


@pytest.fixture(scope="session")
def costs() -> pd.DataFrame:
    rows = [
        ("be", 1, 1_234_567, 4_938_268),
        ("sep_coop", 2, 2_469_134, 9_876_536),
        ("joint_coop", 1, 1_234_825, 4_939_300),
    ]
    return pd.DataFrame(rows, columns=["system", "models", "parameters", "bytes"])


@pytest.fixture(scope="session")
def indexes() -> pd.DataFrame:
    rows = [
        ("Flat", 1.0, 0.002, 512.0, 0.7),
        ("HNSW32", 0.991, 2.3, 784.4, 0.06),
        ("IVF64,Flat", 0.953, 0.2, 521.7, 0.11),
    ]
    columns = ["index", "recall_at_10", "build_seconds", "bytes_per_vector", "search_ms"]
    return pd.DataFrame(rows, columns=columns).assign(
        gallery_size=20_000, queries=200, device="Made-up CPU", threads=1, real_images=300
    )


@pytest.fixture(scope="session")
def comparisons() -> pd.DataFrame:
    claims = (
        ("Re-ranking beats the bi-encoder", "sep_coop", "be", 8.0, 0.0001),
        ("Re-ranking comes close to exhaustive scoring", "sep_coop", "ce", -1.0, 0.21),
        ("Joint training keeps up with separate", "joint_coop", "sep_coop", -2.0, 0.031),
    )
    rows = [
        {
            "backbone": "oscar_small",
            "training_set": "scenes",
            "test_set": "test",
            "claim": claim,
            "system_a": a,
            "system_b": b,
            "seeds": 1,
            "seeds_of_sign": 1,
            "measure": measure,
            "direction": direction,
            "difference": difference * scale,
            "low": difference * scale - 1.5,
            "high": difference * scale + 1.5,
            "p_value": p,
            "queries": 1800,
            "images": 300,
        }
        for claim, a, b, difference, p in claims
        for measure, direction, scale in (
            ("R@1", "text-to-image", 1),
            ("R@1", "image-to-text", 0.8),
            ("mR", "both", 0.4),
        )
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def twins() -> pd.DataFrame:
    rows = []
    for system, level in (("be", 50.5), ("ce", 52.0)):
        for direction in ("text-to-image", "image-to-text", "both"):
            rows.append(
                {
                    "backbone": "oscar_small",
                    "training_set": "scenes",
                    "system": system,
                    "test_set": "twins",
                    "language": "en",
                    "depth": 0,
                    "fusion": "none",
                    "direction": direction,
                    "measure": "twin accuracy",
                    "value": level,
                    "sd": np.nan,
                    "seeds": 1,
                    "low": level - 4,
                    "high": level + 4,
                    "queries": 1000,
                    "images": 200,
                    "pairs_scored": 2000,
                }
            )
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def histories() -> dict[str, list[dict[str, object]]]:
    rng = np.random.default_rng(0)
    made = {}
    for model, tasks, steps in (
        ("be", ("bi_encoder",), 600),
        ("ce", ("cross_encoder",), 900),
        ("joint", ("bi_encoder", "cross_encoder"), 900),
    ):
        rows: list[dict[str, object]] = []
        for step in range(10, steps + 1, 10):
            for task in tasks:
                start = 3.0 if task == "bi_encoder" else 0.69
                loss = start * (0.1 + 0.9 * np.exp(-step / 150)) * rng.lognormal(0, 0.12)
                rows.append({"step": step, "task": task, "loss": loss})
            if step % 100 == 0:
                rows.append({"step": step, "dev_mean_recall": 90 * (1 - np.exp(-step / 170)) + rng.normal(0, 0.6)})
        best = max((row for row in rows if "dev_mean_recall" in row), key=lambda row: row["dev_mean_recall"])
        rows.append({"step": best["step"], "selected": True, "dev_mean_recall": best["dev_mean_recall"]})
        made[model] = rows
    return made
