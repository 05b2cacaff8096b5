"""Photographs become region stores by the verb that the rule runs: whole or in shards, the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch
from packaging.requirements import Requirement
from PIL import Image

from reranksmart.files.region_store import RegionStore
from reranksmart.regions.detectors.extraction import VisualGenome, chosen_device, detect_all
from reranksmart.regions.detectors.visual_genome_files import NamedDetector

ROOT = Path(__file__).parent.parent
PINS = [Requirement(line) for line in (ROOT / "envs" / "detector.lock").read_text().splitlines()]


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory, picture: np.ndarray) -> Path:
    """A prepared split of three pictures: one of them tall, one of a single pixel."""
    data = tmp_path_factory.mktemp("split")
    (data / "images").mkdir()
    pictures = {"plain": picture, "tall": np.rot90(picture)[:, :60], "pixel": picture[:1, :1]}
    rows = []
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(data / "images" / f"{name}.jpg")
        row = {"id": f"own/{name}#0", "text": name, "image_id": f"own/{name}", "language": "en"}
        rows.append(json.dumps(row))
    (data / "captions.jsonl").write_text("\n".join(rows) + "\n")
    return data


def detect(split: Path, folder: Path, output: Path, *, shard: int = 0, **changed: object) -> None:
    settings = {"detector": "vg", "weights": str(folder), "maximum": 20, "shards": 1, **changed}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "reranksmart", "detect-regions", "--data", split, "--shard", str(shard)),
            *("--settings", json.dumps(settings), "--output", output),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ValueError(done.stderr)


def test_the_verb_makes_the_regions_of_a_split_in_any_shards(split: Path, folder: Path, tmp_path: Path) -> None:
    detect(split, folder, tmp_path / "whole")
    whole = RegionStore.open(tmp_path / "whole")
    assert whole.image_ids == ("own/plain", "own/tall", "own/pixel")
    assert whole.feature_size == 128
    assert whole.label_names[:2] == ("thing 0", "thing 1")
    assert (whole.counts[:2] >= 10).all()
    assert whole.counts.max() <= 20
    shards = []
    for shard in range(2):
        detect(split, folder, tmp_path / str(shard), shard=shard, shards=2)
        shards.append(RegionStore.open(tmp_path / str(shard)))
    joined = RegionStore.concatenated(shards)
    for name in ("offsets", "features", "boxes", "labels", "confidences"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name), err_msg=name)
    found = json.loads((tmp_path / "whole" / "provenance.json").read_text())
    assert found["libraries"]["torchvision"] == version("torchvision")


def test_weights_that_are_not_there_are_named(split: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"detect-regions: .*nowhere is no folder; regions\.weights must name"):
        detect(split, tmp_path / "nowhere", tmp_path / "out")


def test_pixels_of_any_picture_give_boxes_inside_it(loaded: NamedDetector, split: Path) -> None:
    detector = VisualGenome(loaded, device=torch.device("cpu"), most=5, class_wise=False)
    images = [(f"own/{path.stem}", path) for path in sorted((split / "images").iterdir())]
    found = dict(detect_all(images, detector))
    assert list(found) == [image_id for image_id, _ in images]
    for regions in found.values():
        assert 1 <= len(regions.boxes) <= 5
        assert ((regions.boxes >= 0) & (regions.boxes <= 1)).all()


def test_a_gpu_asked_for_in_vain_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"regions\.device is cuda, but torch sees no GPU"):
        chosen_device("cuda")
    assert chosen_device("auto").type == "cpu"


@pytest.mark.parametrize("pin", [pin for pin in PINS if pin.marker is None or pin.marker.evaluate()], ids=str)
def test_what_is_installed_is_what_is_locked(pin: Requirement) -> None:
    assert pin.specifier.contains(version(pin.name).split("+")[0], prereleases=True)
