"""What the profile promises of submission, on a real SLURM: completion, arrays, groups, exclusive nodes, GPUs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml
from running import TINY
from slurm_cluster import Cluster, running_cluster

from reranksmart.config.validation import validated
from reranksmart.plan import experiments, resources

from .conftest import Run, adapt, minutes

pytestmark = pytest.mark.slow
Start = Callable[..., Run]
SAME = ("regions", "relevance", "backbones", "models", "embeddings", "candidates", "pair_scores", "exhaustive")
SAME += ("measures", "twins")


def digests(folder: Path) -> dict[str, str]:
    """The sha256 of every file of the results in which nothing was timed."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for kind in SAME
        for path in sorted((folder / "results" / kind).rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def test_the_whole_tiny_configuration_runs_to_completion_with_the_bytes_of_a_run_without_a_cluster(
    cluster: Cluster,
    start: Start,
    new_workflow: Callable[[Path], Path],
    locally: Callable[..., None],
    tmp_path: Path,
) -> None:
    folder = new_workflow(tmp_path / "run")
    run = start(cluster, folder)
    elsewhere = new_workflow(tmp_path / "elsewhere")
    locally(elsewhere)
    run.finish(seconds=5400)

    expected = digests(elsewhere)
    assert len(expected) > 100
    assert digests(folder) == expected
    config = validated(yaml.safe_load((folder / TINY).read_text()))
    for table in config.tables:
        assert pd.read_csv(folder / f"results/tables/{table}.csv")["value"].notna().any(), table
    assert (folder / "results/report.html").exists()

    everything = [job for job in cluster.jobs().values() if job["WorkDir"] == str(folder)]
    assert {job["JobState"] for job in everything} == {"COMPLETED"}
    assert {job["Requeue"] for job in everything} == {"1"}
    array = [job for job in run.jobs_of("train") if "ArrayTaskId" in job]
    assert len(run.jobs_of("train")) == 7
    assert len(array) >= 6  # all that begin from one backbone, whenever the other one is ready
    assert len({job["ArrayJobId"] for job in array}) == 1
    evaluated, of_twins = (len(list((folder / "results" / kind).glob("*/*/*/*/*"))) for kind in ("measures", "twins"))
    groups = run.jobs_of("evaluations")
    assert evaluated + of_twins > 12
    assert len(groups) == -(-(evaluated + of_twins) // 12)
    assert sum(minutes(group["TimeLimit"]) for group in groups) == 120 * evaluated + 60 * of_twins  # as the rules ask
    largest = {
        f"{resources.memory_mb(config, 'evaluate', each)}M"
        for each in experiments.evaluations(config, config.experiments.values())
    }
    assert {(group["NumCPUs"], group["MinMemoryNode"]) for group in groups} == {("1", each) for each in largest}
    for timed in ("measure_latency", "measure_indexes", "measure_pairs", "measure_rates"):
        (job,) = run.jobs_of(timed)
        assert (job["OverSubscribe"], job["NumCPUs"]) == ("NO", str(cluster.cores)), timed


def test_a_gpu_and_a_partition_set_in_the_profile_reach_the_scheduler(
    cluster: Cluster, start: Start, trained: Path, untrained: Path
) -> None:
    adapt(untrained, ("gpu: 0", "gpu: 1"), ("# slurm_partition: gpu", "slurm_partition: gpu"))
    target = "results/embeddings/oscar/scenes/bi_encoder/seed1/scenes/dev"
    run = start(cluster, untrained, target)
    run.finish()
    for rule in ("train", "encode"):
        (job,) = run.jobs_of(rule)
        assert job["TresPerJob"] == "gres:gpu:1"
        assert job["Partition"] == "gpu"
        assert job["JobState"] == "COMPLETED"


@pytest.fixture(scope="module")
def accounting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with an accounting database."""
    with running_cluster(tmp_path_factory.mktemp("accounting"), accounting=True) as started:
        yield started


@pytest.mark.parametrize(("remembered_s", "asked"), [(300, "squeue"), (8, "sacct")])
def test_jobs_are_accounted_for_and_seen_to_end_also_where_the_controller_soon_forgets_them(
    remembered_s: int, asked: str, accounting: Cluster, start: Start, untrained: Path
) -> None:
    accounting.remember_jobs(remembered_s)
    adapt(untrained, ("# slurm_account: project", "slurm_account: lab"))
    judged = Path("results/relevance/scenes.test.npz")
    (untrained / judged).unlink(missing_ok=True)
    run = start(accounting, untrained, str(judged))
    run.finish()
    assert ("Falling back to 'sacct'" in run.said()) == (asked == "sacct")
    (name,) = {line.split("SLURM run ID: ")[1] for line in run.said().splitlines() if "SLURM run ID: " in line}
    records = accounting.command("sacct", "-X", "-n", "--parsable2", f"--name={name}", "--format=Account,State")
    assert set(records.split()) == {"lab|COMPLETED"}
