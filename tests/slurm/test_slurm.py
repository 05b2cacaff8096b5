"""The workflow on a real SLURM: to completion, over its limits, requeued, drained, and asking for a GPU."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from slurm_cluster import INSTALL, Cluster, running_cluster

from reranksmart import contents
from reranksmart.config import validated

from .conftest import MODEL, Run

pytestmark = pytest.mark.slow
Start = Callable[..., Run]


def same_model(one: Path, other: Path) -> bool:
    names = ("model.safetensors", "history.jsonl")
    return all((one / MODEL / name).read_bytes() == (other / MODEL / name).read_bytes() for name in names)


def test_a_machine_without_slurm_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slurm_cluster._PATH", str(tmp_path))
    with pytest.raises(RuntimeError) as refused, running_cluster(tmp_path, cores=1, memory_mb=1000):
        pass
    assert "slurmctld" in str(refused.value)
    assert INSTALL in str(refused.value)


def test_a_requeued_training_continues_and_ends_as_if_undisturbed(
    cluster: Cluster, start: Start, trained: Path, untrained: Path
) -> None:
    run = start(untrained, str(MODEL))
    before = run.wait_for_training(steps=100)
    job = cluster.jobs_of("train")[-1]
    cluster.command("scontrol", "requeue", job["JobId"])
    run.finish(seconds=1800)
    after = cluster.jobs()[job["JobId"]]
    assert after["Restarts"] == "1"
    assert after["JobState"] == "COMPLETED"
    assert before["step"] < before["steps"]
    assert same_model(untrained, trained)


def test_a_training_over_its_time_limit_is_submitted_again_and_continues(
    cluster: Cluster, start: Start, trained: Path, untrained: Path
) -> None:
    run = start(untrained, str(MODEL), "--set-resources", "train:runtime=1 if attempt == 1 else 20")
    shown = run.wait_for_training(steps=100)
    os.kill(shown["pid"], signal.SIGSTOP)  # as slow as can be: SLURM ends it after its one minute
    first = cluster.jobs_of("train")[-1]
    assert first["TimeLimit"] == "00:01:00"
    run.finish(seconds=1800)
    last = cluster.jobs_of("train")[-1]
    assert cluster.jobs()[first["JobId"]]["JobState"] == "TIMEOUT"
    assert int(last["JobId"]) > int(first["JobId"])
    assert last["TimeLimit"] == "00:20:00"
    log = (untrained / "results/logs/train/oscar.scenes.bi_encoder.seed1.log").read_text()
    assert log  # of the second try only: the first one's was removed by Snakemake
    assert same_model(untrained, trained)


def test_a_node_drained_and_taken_away_in_mid_run_costs_nothing_but_time(
    cluster: Cluster, start: Start, trained: Path, untrained: Path
) -> None:
    run = start(untrained, str(MODEL))
    run.wait_for_training(steps=100)
    job = cluster.jobs_of("train")[-1]["JobId"]
    cluster.command("scontrol", "update", "nodename=node", "state=drain", "reason=maintenance")
    assert cluster.command("sinfo", "-h", "-p", "cpu", "-o", "%T").strip() in ("draining", "drained")
    cluster.command("scontrol", "requeue", job)
    try:
        run.wait_until(lambda: cluster.jobs()[job]["JobState"] == "PENDING", seconds=60)
        time.sleep(10)  # longer than the scheduler's interval
        assert cluster.jobs()[job]["JobState"] == "PENDING"
    finally:
        cluster.command("scontrol", "update", "nodename=node", "state=resume")
    run.finish(seconds=1800)
    assert cluster.jobs()[job]["JobState"] == "COMPLETED"
    assert same_model(untrained, trained)


def test_a_gpu_asked_for_in_the_profile_reaches_the_scheduler(
    cluster: Cluster, start: Start, trained: Path, untrained: Path
) -> None:
    profile = untrained / "profiles/slurm/config.yaml"
    asked = profile.read_text().replace("gpu: 0", "gpu: 1").replace("# slurm_partition: gpu", "slurm_partition: gpu")
    profile.write_text(asked)
    run = start(untrained, str(MODEL))
    run.finish(seconds=1800)
    job = cluster.jobs_of("train")[-1]
    assert job["TresPerJob"] == "gres:gpu:1"
    assert job["Partition"] == "gpu"
    assert job["JobState"] == "COMPLETED"
    assert same_model(untrained, trained)


def test_the_whole_tiny_configuration_runs_to_completion(
    cluster: Cluster, start: Start, new_workflow: Callable[[Path], Path], tmp_path: Path
) -> None:
    folder = new_workflow(tmp_path / "run")
    run = start(folder)
    run.finish(seconds=5400)
    config = validated(_configuration(folder))
    for table in contents.tables(config):
        assert (folder / f"results/tables/{table}.csv").stat().st_size > 0, table
    assert (folder / "results/report.html").exists()
    jobs = cluster.jobs()
    latency = cluster.jobs_of("measure_latency")[-1]
    assert latency["OverSubscribe"] == "NO"  # a node of its own
    assert any("ArrayJobId" in job for job in jobs.values() if "rule_train" in job.get("Comment", ""))
    groups = [job for job in jobs.values() if "evaluat" in job.get("Comment", "")]
    assert 0 < len(groups) <= 3  # of 19 evaluations
    shutil.rmtree(folder)


def _configuration(folder: Path) -> dict:
    import yaml
    from running import TINY

    return yaml.safe_load((folder / TINY).read_text())
