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


@pytest.mark.parametrize(("config", "models"), [("config.yaml", 9), (TINY, 8)])
def test_a_configuration_plans_every_rule(folder: Path, config: str, models: int) -> None:
    done = snakemake(folder, "--dry-run", "--cores", "2", "--configfile", config)
    assert done.returncode == 0, done.stdout
    jobs = planned(done.stdout)
    assert {"fetch_stamps", "audit_splits", "train", "score_all", "measure_latency", "report"} <= set(jobs)
    assert jobs["train"] == models


def test_shards_multiply_the_jobs_that_run_models_and_no_others(folder: Path) -> None:
    target = "results/measures/oscar/scenes/sep_coop/seed1/unseen"
    (folder / "shards.yaml").write_text("index: IVF8,SQ8\nshards: {encode: 4, rerank: 3, index: 5}\n")
    plain = planned(snakemake(folder, target, "--dry-run", "--cores", "2").stdout)
    done = snakemake(folder, target, "--dry-run", "--cores", "2", "--configfile", "config.yaml", "shards.yaml")
    jobs = planned(done.stdout)
    assert (jobs.pop("encode_shard"), jobs.pop("merge_embeddings")) == (4 * plain.pop("encode"), 1)
    assert (jobs.pop("score_candidates_shard"), jobs.pop("merge_pair_scores")) == (3 * plain.pop("score_candidates"), 1)
    assert [jobs.pop(f"{step}_index") for step in ("train", "fill", "merge")] == [1, 5, 1]
    assert plain.pop("index") == 1
    assert jobs.pop("total") == plain.pop("total") + 7 + 6
    assert jobs == plain


def test_single_values_of_the_command_line_lie_over_the_default(folder: Path) -> None:
    target = "results/measures/oscar/scenes/sep_coop/seed1/unseen"
    done = snakemake(folder, target, "--dry-run", "--cores", "2", "--config", "bootstrap=77")
    assert done.returncode == 0, done.stdout
    assert planned(done.stdout)["evaluate"] == 1


def test_an_experiment_without_a_table_is_measured(folder: Path) -> None:
    half = "{scenes_half: {dataset: scenes, fraction: 0.5}}"
    mine = "{backbones: [oscar], training_sets: [scenes_half], systems: [be], test_sets: [unseen]}"
    (folder / "mine.yaml").write_text(f"training_sets: {half}\nexperiments: {{mine: {mine}}}\n")
    done = snakemake(folder, "--dry-run", "--cores", "2", "--configfile", "config.yaml", "mine.yaml")
    assert "output: results/measures/oscar/scenes_half/be/seed1/unseen" in done.stdout


def test_one_table_plans_only_its_models(folder: Path) -> None:
    extended = ("--configfile", "config.yaml", "workflow/configs/extended.yaml")
    done = snakemake(folder, "--dry-run", "--cores", "2", "results/tables/table2_languages.md", *extended)
    jobs = planned(done.stdout)
    assert jobs["train"] == 1
    assert "measure_latency" not in jobs


def test_seeds_multiply_models_and_not_data(folder: Path) -> None:
    (folder / "seeds.yaml").write_text("seeds: [1, 2, 3, 4]\n")
    done = snakemake(folder, "--dry-run", "--cores", "2", "--configfile", "config.yaml", "seeds.yaml")
    jobs = planned(done.stdout)
    assert jobs["train"] == 4 * 3
    assert jobs["prepare_split"] == 7


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
    assert "Snakefile" not in done.stdout
    assert not (folder / "results").exists()


def test_a_table_that_is_not_there_is_told_with_the_nearest(folder: Path) -> None:
    done = snakemake(folder, "--dry-run", "--cores", "1", "results/tables/depht.md")
    assert done.returncode != 0
    assert "this configuration has no 'depht' among its tables" in done.stdout
    assert "Did you mean 'depth'?" in done.stdout
    assert "Snakefile" not in done.stdout


def test_the_paper_s_configuration_plans_before_its_data_are_there(folder: Path) -> None:
    done = snakemake(folder, "--dry-run", "--cores", "2", "--configfile", "workflow/configs/paper.yaml")
    assert done.returncode == 0, done.stdout
    jobs = planned(done.stdout)
    assert jobs["convert_backbone"] == 3
    assert "pretrain" not in jobs
    assert jobs["train"] == 25
    resources = [line for line in done.stdout.splitlines() if line.strip().startswith("resources:")]
    assert len(resources) == jobs["total"]
    of_jobs = [line for line in resources if "mem_mb=" in line and "runtime=" in line]
    assert len(of_jobs) == jobs["total"] - 1  # rule all makes nothing


def test_folds_are_galleries_apart_that_one_evaluation_reads(folder: Path) -> None:
    target = "results/measures/oscar/coco/joint_coop/seed1/coco_1k"
    done = snakemake(folder, target, "--dry-run", "--cores", "2", "--configfile", "workflow/configs/paper.yaml")
    jobs = planned(done.stdout)
    assert (jobs["evaluate"], jobs["retrieve"], jobs["score_candidates"], jobs["train"]) == (1, 5, 5, 1)


def test_published_models_plan_before_any_file_is_there(folder: Path) -> None:
    done = snakemake(folder, "--dry-run", "--cores", "2", "--configfile", "workflow/configs/modern.yaml")
    assert done.returncode == 0, done.stdout
    jobs = planned(done.stdout)
    assert {"convert_backbone", "extract_pixels", "store_states", "adopt_backbone", "train", "evaluate"} <= set(jobs)
    assert jobs["merge_regions"] == 3  # of MSCOCO, for the two families that read them
    assert not {"import_regions", "pretrain"} & set(jobs)
