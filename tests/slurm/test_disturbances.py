"""A training on a real SLURM that takes its time, its node or its Snakemake away: the same bytes as undisturbed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from slurm_cluster import Cluster

from .conftest import MODEL, Run, adapt

pytestmark = pytest.mark.slow
Start = Callable[..., Run]


def same_model(one: Path, other: Path) -> bool:
    names = ("model.safetensors", "history.jsonl")
    return all((one / MODEL / name).read_bytes() == (other / MODEL / name).read_bytes() for name in names)


def requeue(run: Run) -> None:
    (job,) = run.jobs_of("train")
    run.cluster.command("scontrol", "requeue", job["JobId"])


def preempt(run: Run) -> None:
    folder = f"--chdir={run.cluster.folder}"
    words = ("--partition=urgent", "--exclusive", folder, "--wrap", "srun -n1 sleep 5")
    urgent = run.cluster.command("sbatch", "--parsable", *words).strip()
    run.wait_until(lambda: run.cluster.jobs()[urgent]["JobState"] in ("RUNNING", "COMPLETED"), seconds=180)


@pytest.mark.parametrize("take_away", [requeue, preempt])
def test_a_training_whose_node_is_given_to_others_continues(
    take_away: Callable[[Run], None], cluster: Cluster, start: Start, trained: Path, untrained: Path
) -> None:
    run = start(cluster, untrained, str(MODEL))
    process = run.wait_for_checkpoint()
    take_away(run)
    run.require_continued(process)
    run.finish()
    (job,) = run.jobs_of("train")
    assert (job["Restarts"], job["JobState"]) == ("1", "COMPLETED")
    assert same_model(untrained, trained)


def test_a_training_over_its_time_limit_is_submitted_again_and_continues(
    cluster: Cluster, start: Start, trained: Path, untrained: Path
) -> None:
    adapt(untrained, ("# runtime: 1440  #", "runtime: 1 if attempt == 1 else 20  #"))
    run = start(cluster, untrained, str(MODEL))
    process = run.wait_for_checkpoint()
    os.kill(process, signal.SIGSTOP)  # as slow as can be: SLURM ends it when its minute is over
    run.require_continued(process)
    run.finish()
    first, second = run.jobs_of("train")
    assert (first["TimeLimit"], first["JobState"]) == ("00:01:00", "TIMEOUT")
    assert (second["TimeLimit"], second["JobState"]) == ("00:20:00", "COMPLETED")
    assert same_model(untrained, trained)


def test_a_node_drained_in_mid_run_costs_nothing_but_time(
    cluster: Cluster, start: Start, trained: Path, untrained: Path
) -> None:
    run = start(cluster, untrained, str(MODEL))
    process = run.wait_for_checkpoint()
    (job,) = run.jobs_of("train")
    cluster.command("scontrol", "update", "nodename=node", "state=drain", "reason=maintenance")
    try:
        cluster.command("scontrol", "requeue", job["JobId"])  # as an administrator does who cannot wait
        run.wait_until(lambda: run.jobs_of("train")[0]["JobState"] == "PENDING", seconds=120)
        run.wait_until(
            lambda: cluster.command("sinfo", "-h", "-p", "cpu", "-o", "%T").strip() == "drained", seconds=120
        )
        time.sleep(10)  # longer than the scheduler's interval
        assert run.jobs_of("train")[0]["JobState"] == "PENDING"
    finally:
        cluster.command("scontrol", "update", "nodename=node", "state=resume")
    run.require_continued(process)
    run.finish()
    assert [each["JobState"] for each in run.jobs_of("train")] == ["COMPLETED"]
    assert same_model(untrained, trained)


def test_after_a_killed_snakemake_its_running_job_is_named_and_ended_by_hand(
    cluster: Cluster, start: Start, trained: Path, untrained: Path
) -> None:
    other = cluster.command("sbatch", "--parsable", "--hold", f"--chdir={untrained}", "--wrap", "true").strip()
    run = start(cluster, untrained, str(MODEL))
    process = run.wait_for_checkpoint()
    assert "--unlock" in run.refused()
    run.kill()
    (job,) = run.jobs_of("train")
    assert job["JobState"] == "RUNNING"
    said = run.status()
    line = next(line for line in said.splitlines() if "scancel" in line).split()
    assert line == ["scancel", job["JobId"]], said  # the user's own job in this folder is none of the run's
    cluster.command(*line)
    run.unlock()
    run.again()
    run.require_continued(process)
    run.finish()
    first, second = run.jobs_of("train")
    assert (first["JobState"], second["JobState"]) == ("CANCELLED", "COMPLETED")
    assert cluster.jobs()[other]["JobState"] == "PENDING"
    assert same_model(untrained, trained)


def test_a_job_left_over_in_the_queue_holds_its_output_and_harms_nothing(
    cluster: Cluster, start: Start, trained: Path, untrained: Path
) -> None:
    run = start(cluster, untrained, str(MODEL))
    process = run.wait_for_checkpoint()
    os.kill(process, signal.SIGSTOP)  # until the next one waits for it
    run.kill()
    run.unlock()
    run.again()
    run.wait_until(lambda: f"SLURM job {run.jobs_of('train')[0]['JobId']}, process {process}" in run.log_of_training())
    os.kill(process, signal.SIGCONT)
    run.finish()
    assert [each["JobState"] for each in run.jobs_of("train")] == ["COMPLETED", "COMPLETED"]
    assert same_model(untrained, trained)
