"""Choosing a detector changes how regions are made, and nothing of a run that chooses none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from running import ROOT, snakemake
from typer.testing import CliRunner

from reranksmart.cli import load
from reranksmart.cli.verb import app
from reranksmart.config.schema import Config
from reranksmart.config.validation import validated
from reranksmart.files.code import code_digest
from reranksmart.plan import detection
from reranksmart.values.settings import ConfigError

load("detect-regions")

DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())


def configured(**regions: object) -> Config:
    return validated({**DEFAULT, "regions": {**DEFAULT["regions"], **regions}})


def test_the_defaults_settings_are_those_before_there_were_detectors() -> None:
    assert detection.detection_settings(configured()) == '{"maximum":12,"shards":1}'
    assert detection.detection_code(configured()) == code_digest("extract-regions")
    assert detection.detection_command(configured()) == "reranksmart extract-regions"


def test_a_detectors_code_and_settings_are_its_own() -> None:
    config = configured(detector="vg", weights="/data/vg", maximum=50, python="/data/env/bin/python")
    settings = json.loads(detection.detection_settings(config))
    assert settings["detector"] == "vg"
    assert settings["maximum"] == 50
    assert "python" not in settings
    assert detection.detection_code(config) == code_digest("detect-regions")
    assert detection.detection_code(config) != detection.detection_code(configured())
    assert "/data/env/bin/python -m reranksmart detect-regions" in detection.detection_command(config)
    assert detection.detection_environment(config).endswith("envs/detector.yaml")


def test_a_gpu_is_asked_of_a_cluster_only_where_the_configuration_insists() -> None:
    assert detection.detection_resources(configured())["gpu"] == 0
    assert detection.detection_resources(configured(detector="coco"))["gpu"] == 0
    assert detection.detection_resources(configured(detector="coco", device="cuda"))["gpu"] == 1


@pytest.mark.parametrize(
    ("regions", "said"),
    [
        ({"detector": "vg"}, "detector is vg, but weights is null"),
        ({"detector": "yolo"}, "'selective_search', 'vg' or 'coco'"),
        ({"weights": "/data/vg"}, r"selective_search, which has no \['weights'\]"),
    ],
)
def test_a_detector_that_cannot_run_stops_before_any_job(regions: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        configured(**regions)


def test_without_torchvision_the_verb_says_where_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torchvision", None)  # as where it is not installed
    options = ["--data", "d", "--shard", "0", "--settings", '{"detector": "coco"}', "--output", str(tmp_path / "out")]
    done = CliRunner().invoke(app, ["detect-regions", *options])
    assert re.search(r"needs torchvision.*envs/detector.yaml.*make detector", str(done.exception))


@pytest.mark.workflow
def test_a_detector_of_the_configuration_is_what_the_rule_runs(
    tmp_path: Path, copy_workflow: Callable[[Path], Path]
) -> None:
    folder = copy_workflow(tmp_path / "run")
    weights = tmp_path / "vg"
    weights.mkdir()
    (weights / "pytorch_model.bin").touch()
    chosen = {"detector": "vg", "weights": str(weights), "shards": 3}
    (folder / "vg.yaml").write_text(yaml.safe_dump({"regions": chosen}))
    target = "results/regions/scenes/dev"
    done = snakemake(
        folder, "--dry-run", "--printshellcmds", "--cores", "1", target, "--configfile", "config.yaml", "vg.yaml"
    )
    assert done.returncode == 0, done.stdout
    assert len(re.findall(r"-m reranksmart detect-regions --data results/data/scenes/dev --shard \d", done.stdout)) == 3
