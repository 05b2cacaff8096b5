import re
from collections.abc import Callable
from pathlib import Path

import pytest
from running import TINY, snakemake


@pytest.fixture
def folder(tmp_path: Path, copy_workflow: Callable[[Path], Path]) -> Path:
    return copy_workflow(tmp_path / "run")


def planned(output: str) -> dict[str, int]:
    """The number of jobs by rule in a dry run."""
    table = output.split("Job stats:")[1].split("Reasons:")[0]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+)\s+(\d+)$", table, re.MULTILINE)}


@pytest.mark.parametrize(("config", "models"), [("config.yaml", 7), (TINY, 7)])
def test_a_configuration_plans_every_rule(folder: Path, config: str, models: int) -> None:
    done = snakemake(folder, "--dry-run", "--cores", "2", "--configfile", config)
    assert done.returncode == 0, done.stdout
    jobs = planned(done.stdout)
    assert {"fetch_stamps", "audit_splits", "train", "score_all", "measure_latency", "report"} <= set(jobs)
    assert jobs["train"] == models


def test_one_table_plans_only_its_models(folder: Path) -> None:
    done = snakemake(folder, "--dry-run", "--cores", "2", "results/tables/table2_languages.md")
    jobs = planned(done.stdout)
    assert jobs["train"] == 1
    assert "measure_latency" not in jobs


def test_seeds_multiply_models_and_not_data(folder: Path) -> None:
    (folder / "seeds.yaml").write_text("seeds: [1, 2, 3]\n")
    done = snakemake(folder, "--dry-run", "--cores", "2", "--configfile", "config.yaml", "seeds.yaml")
    jobs = planned(done.stdout)
    assert jobs["train"] == 21
    assert jobs["prepare_split"] == 6


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        (
            "bootstrap_resamples: 10",
            "bootstrap_resamples: unknown key 'bootstrap_resamples'. Did you mean 'bootstrap'?",
        ),
        ("test_sets: {test: {dataset: scene, split: test}}", "Did you mean 'scenes'?"),
        ("experiments: {main: {depths: [0]}}", "got 0"),
        ("backbones: {oscar: {capabilities: [bi_encoder]}}", "backbone 'oscar' cannot do"),
    ],
    ids=["misspelt key", "unknown dataset", "k = 0", "objective a backbone cannot do"],
)
def test_a_bad_configuration_stops_before_any_job(folder: Path, overlay: str, said: str) -> None:
    (folder / "overlay.yaml").write_text(overlay + "\n")
    done = snakemake(folder, "--cores", "1", "--configfile", "config.yaml", "overlay.yaml")
    assert done.returncode != 0
    assert said in done.stdout
    assert not (folder / "results").exists()
