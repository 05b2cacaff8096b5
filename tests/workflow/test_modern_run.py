"""Published models of transformers through the real Snakemake: modern.yaml in miniature."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from modern_miniature import MODERN, modern_miniature
from running import snakemake

from reranksmart.config.validation import validated

pytestmark = pytest.mark.workflow

APART = "results/measures/siglip2/coco/zero_shot_sep_coop/seed1/coco_5k"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, copy_workflow: Callable[[Path], Path], verbs: Path) -> Path:
    """A folder in which SigLIP 2 retrieved and BLIP re-ranked, both as published."""
    folder = copy_workflow(tmp_path_factory.mktemp("modern") / "run")
    (folder / MODERN).write_text(yaml.safe_dump(modern_miniature(folder / "published")))
    done = snakemake(folder, APART, "--cores", "2", "--configfile", MODERN, programs=verbs)
    assert done.returncode == 0, done.stdout[-5000:]
    return folder


def test_one_published_model_retrieves_and_another_reranks(run: Path) -> None:
    measures = pd.read_csv(run / APART / "measures.csv")
    assert set(measures["backbone"]) == {"siglip2"}
    assert set(measures["pairs_scored"]) == {50 * 2, 10 * 2, 60 * 2}


def test_pixels_are_made_of_both_and_states_of_the_reranker_alone(run: Path) -> None:
    kinds = {
        str(index.parent.relative_to(run / "results")): json.loads(index.read_text())["kind"]
        for kind in ("pixels", "states")
        for index in (run / "results" / kind).rglob("index.json")
    }
    assert kinds == {
        "pixels/siglip2/coco/test": "pixels",
        "pixels/blip/coco/test": "pixels",
        "states/blip/coco/zero_shot_joint/seed1/coco/test": "states",
    }


def test_every_table_of_published_models_is_made(run: Path, verbs: Path) -> None:
    done = snakemake(run, "--cores", "2", "--configfile", MODERN, programs=verbs)
    assert done.returncode == 0, done.stdout[-5000:]
    config = validated(yaml.safe_load((run / MODERN).read_text()))
    for table in config.tables:
        assert pd.read_csv(run / f"results/tables/{table}.csv")["value"].notna().any(), table
    for figure in config.figures:
        assert (run / f"results/figures/{figure}.svg").stat().st_size > 1000
    cost = pd.read_csv(run / "results/tables/cost.csv")
    assert (cost[cost["column"] == "bytes_per_image"]["value"] > 0).all()
    retrievers = pd.read_csv(run / "results/tables/fine_tuned_coco_cross_encoders.csv")
    assert list(retrievers["group"].unique()) == ["vilt", "visualbert", "lxmert"]
    assert retrievers["value"].notna().all()
    beside = (run / "results/tables/coco_blip.md").read_text()
    assert "BLIP-2" in beside
    assert "68.3" in beside
    assert snakemake(run, "--cores", "2", "--configfile", MODERN, "--dry-run").stdout.count("Nothing to be done") == 1


def test_a_published_system_of_two_models_becomes_searchable(run: Path, verbs: Path) -> None:
    index = "results/searchable/siglip2/coco/zero_shot_sep_coop/seed1/coco_5k"
    done = snakemake(run, index, "--cores", "2", "--configfile", MODERN, programs=verbs)
    assert done.returncode == 0, done.stdout[-3000:]
