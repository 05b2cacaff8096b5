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


def test_after_a_killed_snakemake_the_same_command_cancels_its_running_job_and_continues(
    cluster: Cluster, start: Start, trained: Path, untrained: Path
) -> None:
    run = start(cluster, untrained, str(MODEL))
    process = run.wait_for_checkpoint()
    assert "lock" in run.refused().lower()
    run.kill()
    assert run.jobs_of("train")[0]["JobState"] == "RUNNING"
    run.again()
    run.require_continued(process)
    run.finish()
    first, second = run.jobs_of("train")
    assert first["JobState"] == "CANCELLED"
    assert first["EndTime"] <= second["StartTime"]
    assert second["JobState"] == "COMPLETED"
    assert same_model(untrained, trained)


def test_after_a_killed_snakemake_its_waiting_jobs_are_cancelled_also_if_its_lock_was_removed_by_hand(
    cluster: Cluster, start: Start, trained: Path, untrained: Path
) -> None:
    judged = Path("results/relevance/scenes.test.npz")
    (untrained / judged).unlink(missing_ok=True)
    other = cluster.command("sbatch", "--parsable", "--hold", f"--chdir={untrained}", "--wrap", "true").strip()
    cluster.command("scontrol", "update", "nodename=node", "state=drain", "reason=maintenance")
    try:
        run = start(cluster, untrained, str(judged))
        run.wait_until(lambda: run.jobs_of("judgements"))
        run.kill()
        for lock in (untrained / ".snakemake" / "locks").glob("*"):
            lock.unlink()
    finally:
        cluster.command("scontrol", "update", "nodename=node", "state=resume")
    run.again()
    run.finish()
    states = [each["JobState"] for each in run.jobs_of("judgements")]
    assert states[-1] == "COMPLETED"
    assert set(states[:-1]) <= {"CANCELLED", "COMPLETED"}
    assert cluster.jobs()[other]["JobState"] == "PENDING"  # the user's own job in this folder is none of the run's
    assert "cancelling jobs" in run.said()
