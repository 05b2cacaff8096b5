"""Published datasets planned by the real Snakemake: what is fetched, prepared and imported for one result."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from running import PAPER, ROOT, TINY, snakemake

from reranksmart.config.backbones import Backbone
from reranksmart.config.schema import Config
from reranksmart.config.validation import validated
from reranksmart.plan import models, names

CONFIG: Config = validated(yaml.safe_load((ROOT / PAPER).read_text()))

FLICKR = {
    "kind": "flickr30k",
    "division": "entities",
    "annotations": "source:flickr30k_entities",
    "sentences": "source:flickr30k_entities/annotations.zip#Sentences",
    "splits": {"train": {}, "dev": {}, "test": {}},
    "regions": {"format": "npz", "paths": ["source:features/flickr30k_features.zip#features"]},
}
OVERLAY = {
    "datasets": {"flickr30k": FLICKR},
    "training_sets": {"flickr30k": {"dataset": "flickr30k"}},
    "test_sets": {"flickr30k": {"dataset": "flickr30k", "split": "test"}},
    "experiments": {
        "flickr": {
            "backbones": ["oscar"],
            "training_sets": ["flickr30k"],
            "systems": ["be"],
            "test_sets": ["flickr30k"],
        }
    },
}


@pytest.fixture
def folder(tmp_path: Path, copy_workflow: Callable[[Path], Path]) -> Path:
    found = copy_workflow(tmp_path / "run")
    (found / "overlay.yaml").write_text(yaml.safe_dump(OVERLAY))
    return found


def test_sources_are_fetched_and_regions_imported_instead_of_detected(folder: Path) -> None:
    target = "results/measures/oscar/flickr30k/be/seed1/flickr30k"
    done = snakemake(folder, target, "--dry-run", "--cores", "1", "--configfile", TINY, "overlay.yaml")
    assert done.returncode == 0, done.stdout
    for job, count in (("prepare_split", 3), ("import_regions", 3), ("unpack", 2), ("download", 3)):
        assert f"{job} " in done.stdout
        assert done.stdout.count(f"rule {job}:") == count, job
    for rule in ("extract_regions", "merge_regions", "fetch_stamps"):
        assert f"rule {rule}:" not in done.stdout


def test_a_source_that_cannot_be_had_stops_with_what_to_do(folder: Path) -> None:
    sources = folder / "sources.csv"
    header = "asset,file,urls,bytes,checksum,checksum_from,terms,licence,licence_page,state,state_date\n"
    sources.write_text(f"{header}it,some/a.txt,http://127.0.0.1:9/a.txt,,,,,free,http://a.org,dead,2024\n")
    (folder / "own.yaml").write_text("downloads: {sources: sources.csv, attempts: 1, wait_s: 0}\n")
    done = snakemake(
        folder, "results/downloads/some/a.txt.json", "--cores", "1", "--configfile", TINY, "overlay.yaml", "own.yaml"
    )
    assert done.returncode != 0
    assert "Put a copy got by hand at downloads/some/a.txt" in done.stdout


@pytest.mark.parametrize("name", CONFIG.backbones)
def test_what_converts_a_checkpoint_is_what_it_reads_and_no_size(name: str) -> None:
    settings = models.checkpoint_settings(CONFIG, name)
    assert Backbone.model_validate_json(settings).checkpoint == CONFIG.backbones[name].checkpoint
    longer = CONFIG.backbones[name].model_copy(update={"max_tokens": 30})
    other = CONFIG.model_copy(update={"backbones": {name: longer}})
    assert models.checkpoint_settings(other, name) == settings


def test_a_multilingual_model_is_tested_in_the_languages_that_the_asking_dataset_has() -> None:
    assert names.languages_read(CONFIG, "m3p", "multi30k") == ("en", "de", "fr", "cs")
    assert names.languages_read(CONFIG, "m3p", "coco_m3p") == ("en",)
    read = json.loads(names.gallery_reading_settings(CONFIG, "m3p", "coco_m3p.test"))
    assert read == {**json.loads(names.reading_settings(CONFIG, "m3p")), "languages": ["en"]}
