"""Every published dataset from its configuration to prepared splits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from miniature import photographs, split_photographs, write_published
from PIL import Image
from pydantic import TypeAdapter, ValidationError
from typer.testing import CliRunner

from reranksmart.cli import load
from reranksmart.cli.verb import app
from reranksmart.config.datasets import AnyDataset
from reranksmart.datasets.prepared.layout import picture_path
from reranksmart.files.storage import read_captions

load("prepare-split")

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return write_published(tmp_path_factory.mktemp("published"))


def prepare(dataset: dict[str, Any], split: str, folder: Path) -> Path:
    settings = json.dumps({key: value for key, value in dataset.items() if key != "regions"})  # as the rule passes them
    done = RUNNER.invoke(app, ["prepare-split", "--split", split, "--settings", settings, "--output", str(folder)])
    if done.exception is not None:
        raise done.exception
    return folder


@pytest.mark.parametrize(
    ("name", "split", "images", "captions", "first"),
    [
        ("coco", "train", 24, 120, "coco/391895#0"),
        ("coco", "test", 10, 50, "coco/392119#0"),
        ("coco", "test_1k", 4, 20, "coco/392119#0"),
        ("coco", "fold_5", 2, 10, "coco/392175#0"),
        ("coco_ir", "test", 10, 55, "coco/392119#0"),
        ("flickr30k", "dev", 8, 40, "flickr30k/1000092963#0"),
        ("entities", "train", 24, 120, "flickr30k/1000093019#0"),
        ("multi30k", "train", 24, 24 * (5 + 5 + 1 + 1), "multi30k/task2/1000092795#en0"),
        ("multi30k", "test", 10, 120, "multi30k/task2/1000093019#en0"),
        ("cc", "dev", 12, 12, "cc/1#0"),
        ("xflickrco", "test", 10, 20, "xflickrco/1000093019#en0"),
    ],
)
def test_a_published_split_is_prepared_from_its_settings(
    datasets: dict[str, Any], tmp_path: Path, name: str, split: str, images: int, captions: int, first: str
) -> None:
    found = read_captions(prepare(datasets[name], split, tmp_path / name / split) / "captions.jsonl")
    assert len(set(found.image_ids)) == images
    assert len(found) == captions
    assert found.ids[0] == first
    assert list((tmp_path / name / split / "images").iterdir()) == []


def test_a_split_can_be_cut_to_its_first_images(datasets: dict[str, Any], tmp_path: Path) -> None:
    small = {**datasets["coco"], "splits": {"dev": {"first": 3}}}
    assert len(read_captions(prepare(small, "dev", tmp_path / "dev") / "captions.jsonl")) == 15


def test_pictures_are_linked_under_the_names_that_the_datasets_give_them(
    datasets: dict[str, Any], tmp_path: Path
) -> None:
    flickr, coco = split_photographs("flickr30k")["test"][:5], split_photographs("coco")["test"][:5]
    for image in flickr:
        picture(tmp_path / "flickr30k-images" / f"{image.number}.jpg")
    for image in coco[:3]:
        picture(tmp_path / "coco" / "val2014" / f"COCO_val2014_{image.number:012}.jpg")
    for image in coco[3:]:
        picture(tmp_path / "coco" / f"{image.number:012}.jpg")  # the name of 2017
    seen = {**datasets["xflickrco"], "images": [str(tmp_path / "flickr30k-images"), str(tmp_path / "coco")]}
    folder = prepare(seen, "test", tmp_path / "out")
    for image in (*flickr, *coco):
        assert picture_path(folder, f"{image.dataset}/{image.number}").is_file()


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)


def test_missing_pictures_are_counted_and_named(datasets: dict[str, Any], tmp_path: Path) -> None:
    for image in photographs("cc", 11):
        picture(tmp_path / "pictures" / f"{image.number}.jpg")
    seen = {**datasets["cc"], "images": [str(tmp_path / "pictures")]}
    with pytest.raises(ValueError, match=r"1 of 12 pictures are in none of .* as 'cc/78': 78\.jpg or 78\.jpeg"):
        prepare(seen, "dev", tmp_path / "out")
    with pytest.raises(ValueError, match=r"nowhere is not a folder; set the dataset's images"):
        prepare({**seen, "images": [str(tmp_path / "nowhere")]}, "dev", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"splits": {"validation": {}}}, r"split 'validation' is 'validation' of the publication, which has"),
        ({"annotations": None}, r"splits \['train', .* have no annotations; give the dataset's or their own"),
        ({"splits": {"test": {"fold": 6}}}, "fold"),
        ({"regions": {"format": "detectron"}}, "format"),
    ],
)
def test_settings_that_cannot_work_are_refused(datasets: dict[str, Any], change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TypeAdapter(AnyDataset).validate_python({**datasets["coco"], **change})
