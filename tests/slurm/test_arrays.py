"""Arrays on a real SLURM: work that is shared out over their jobs, and what those ask for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from running import TINY
from slurm_cluster import Cluster

from reranksmart.config.schema import Config
from reranksmart.config.validation import validated
from reranksmart.plan import arrays as planned_arrays
from reranksmart.plan import resources

from .conftest import MODEL, OVERLAY, Run, adapt, megabytes, minutes

pytestmark = pytest.mark.slow
Start = Callable[..., Run]
EMBEDDINGS = "results/embeddings/m3p/scenes/joint/seed1/scenes/train"  # of captions of four languages: several batches
PAIR_SCORES = "results/pair_scores/m3p/scenes/joint-joint/seed1/scenes.test"
EXHAUSTIVE = "results/exhaustive/m3p/scenes/joint/seed1/scenes.test"


def overlaid(folder: Path, overlay: dict) -> Config:
    """Writes the overlay; returns the configuration with it."""
    (folder / OVERLAY).write_text(json.dumps(overlay))
    values = yaml.safe_load((folder / TINY).read_text())
    for name, changed in overlay.get("objectives", {}).items():
        values["objectives"][name] |= changed
    return validated(values | {"shards": overlay.get("shards", {})})


def test_work_shared_out_over_arrays_gives_the_bytes_of_one_job(
    cluster: Cluster,
    start: Start,
    new_workflow: Callable[[Path], Path],
    locally: Callable[..., None],
    tmp_path: Path,
) -> None:
    targets = (EMBEDDINGS, PAIR_SCORES, EXHAUSTIVE)
    alone = new_workflow(tmp_path / "alone")
    locally(alone, *targets)
    folder = tmp_path / "shared_out"
    shutil.copytree(alone, folder, symlinks=True)
    for kind in ("embeddings", "indexes", "candidates", "pair_scores", "exhaustive"):
        shutil.rmtree(folder / "results" / kind)
    config = overlaid(folder, {"shards": {"encode": 2, "rerank": 3}})
    run = start(cluster, folder, *targets)
    run.finish()

    for target in targets:
        arrays = sorted(path.name for path in (alone / target).glob("*.np[yz]"))
        assert arrays == sorted(path.name for path in (folder / target).glob("*.np[yz]"))
        assert arrays, target
        for name in arrays:
            assert (folder / target / name).read_bytes() == (alone / target / name).read_bytes(), (target, name)
    for rule, shards, splits in (("encode", 2, 2), ("score_candidates", 3, 1), ("score_all", 3, 1)):
        jobs = run.jobs_of(f"{rule}_shard")
        assert len(jobs) == shards * splits
        assert len({job["ArrayJobId"] for job in jobs}) == 1
        assert {job["JobState"] for job in jobs} == {"COMPLETED"}
        keys = {"backbone": "m3p", "training_set": "scenes", "objective": "joint", "retriever": "joint"}
        keys |= {"reranker": "joint", "dataset": "scenes", "split": "train", "gallery": "scenes.test"}
        asked = planned_arrays.Array(config, rule, shards).memory_mb(SimpleNamespace(**keys))
        assert all(asked <= megabytes(job["MinMemoryNode"]) < asked + 100 for job in jobs)  # and the plugin's own


def test_the_trainings_of_an_array_ask_the_scheduler_for_what_the_largest_needs(
    cluster: Cluster, start: Start, untrained: Path
) -> None:
    config = overlaid(untrained, {"objectives": {"bi_encoder": {"steps": 100_000_000}}})
    large, small = (
        SimpleNamespace(backbone="oscar", training_set="scenes", objective=name) for name in ("bi_encoder", "joint")
    )
    assert [resources.gpus(config, "train", keys) for keys in (large, small)] == [1, 0]
    needed = resources.runtime_minutes(config, "train", large)
    assert needed > resources.runtime_minutes(config, "train", small)

    as_written = "  train:\n    gpu: 0  # <--\n    # slurm_partition: gpu"
    adapt(untrained, (as_written, "  train:\n    slurm_partition: gpu"))  # the GPU is left to the size
    run = start(cluster, untrained, str(MODEL), str(MODEL).replace("bi_encoder", "joint"))
    run.wait_until(lambda: len(run.jobs_of("train")) == 2)  # one has the only GPU, one waits for it
    for job in run.jobs_of("train"):
        assert (job["TresPerJob"], job["Partition"], minutes(job["TimeLimit"])) == ("gres:gpu:1", "gpu", needed)
        assert "ArrayTaskId" in job
