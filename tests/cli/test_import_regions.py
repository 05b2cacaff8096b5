"""Region features of every published dataset become its splits' stores."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from miniature import FEATURE_SIZE, split_photographs, write_bottom_up, write_published
from pydantic import TypeAdapter
from typer.testing import CliRunner

from reranksmart.cli import load
from reranksmart.cli.verb import app
from reranksmart.config.datasets import AnyDataset
from reranksmart.datasets.prepared.layout import read_image_ids
from reranksmart.files.region_store import RegionStore
from reranksmart.files.storage import read_jsonl
from reranksmart.regions.formats.identities import PublishedNames

load("prepare-split", "import-regions")

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    folder = tmp_path_factory.mktemp("published")
    return SimpleNamespace(folder=folder, datasets=write_published(folder))


def imported(dataset: dict[str, Any], split: str, folder: Path) -> Path:
    """The folder of the split's regions, beside that of its data."""
    settings = TypeAdapter(AnyDataset).validate_python(dataset).regions.model_dump_json()
    calls = [
        (app, ["prepare-split", "--settings", json.dumps(dataset), "--output", folder / "data"]),
        (app, ["import-regions", "--settings", settings, "--data", folder / "data", "--output", folder / "regions"]),
    ]
    for verbs, arguments in calls:
        done = RUNNER.invoke(verbs, [*map(str, arguments), "--split", split])
        if done.exception is not None:
            raise done.exception
    return folder / "regions"


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *(("coco", split) for split in ("dev", "test", "fold_2")),
        *(("flickr30k", "train"), ("entities", "test"), ("multi30k", "test"), ("cc", "dev"), ("xflickrco", "test")),
    ],
)
def test_a_split_has_the_regions_of_its_images_and_no_others(
    world: SimpleNamespace, tmp_path: Path, name: str, split: str
) -> None:
    store = RegionStore.open(imported(world.datasets[name], split, tmp_path))
    assert set(store.image_ids) == set(read_image_ids(tmp_path / "data"))
    assert store.feature_size == FEATURE_SIZE


def test_an_image_has_its_own_regions(world: SimpleNamespace, tmp_path: Path) -> None:
    store = RegionStore.open(imported(world.datasets["coco"], "test", tmp_path))
    for image in split_photographs("coco")["test"]:
        features, boxes = image.columns()
        found = store[store.row_by_id[f"coco/{image.number}"]]
        np.testing.assert_array_equal(found.features, features.astype(np.float16))
        np.testing.assert_allclose(found.boxes, boxes / [640, 480, 640, 480], atol=1e-6)


def test_an_image_that_the_files_lack_is_named(world: SimpleNamespace, tmp_path: Path) -> None:
    files = write_bottom_up(tmp_path / "some.tsv", split_photographs("flickr30k")["test"][1:])
    lacking = {**world.datasets["flickr30k"], "regions": {"format": "bottom_up_tsv", "paths": [str(files)]}}
    with pytest.raises(ValueError, match=r"1 wanted images are missing from the 9 in .*'flickr30k/1000093019'"):
        imported(lacking, "test", tmp_path)
    assert not (tmp_path / "regions").exists()


@pytest.mark.parametrize(
    ("regions", "said"),
    [
        ({"format": "oscar", "paths": ["/nowhere.pt"]}, r"/nowhere\.pt does not exist; set the dataset's regions"),
        ({"format": "oscar", "split_paths": {"dev": ["x"]}}, r"no region files are given for split 'test'"),
    ],
)
def test_region_files_that_cannot_be_read_are_named(
    world: SimpleNamespace, tmp_path: Path, regions: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        imported({**world.datasets["coco"], "regions": regions}, "test", tmp_path)


def test_images_without_regions_are_counted_and_listed(tmp_path: Path) -> None:
    texts = [json.dumps({"id": f"d/{n}#0", "image_id": f"d/{n}", "text": "a", "language": "en"}) for n in (1, 2)]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "captions.jsonl").write_text("\n".join(texts) + "\n")
    (tmp_path / "f.tsv").write_text("1\t320\t480\t1\tAAAAAAAAgD8AACBDAABwQw==\tAAAAAAAAgD8AAABA\n2\t9\t9\t0\t\t\n")
    settings = {"format": "bottom_up_tsv", "paths": [str(tmp_path / "f.tsv")], "feature_size": 3}
    arguments = ["--data", tmp_path / "data", "--split", "x", "--settings", json.dumps(settings), "--output"]
    done = RUNNER.invoke(app, ["import-regions", *map(str, arguments), str(tmp_path / "out")])
    assert "regions of 2 images read, 1 of them without any in the files" in done.stderr
    assert "the whole image stands for one, its features are 0 (d/2)" in done.stderr
    assert [one["what"] for one in read_jsonl(tmp_path / "out" / "skipped.jsonl")] == ["d/2"]


@pytest.mark.parametrize(
    ("published", "image_id"),
    [
        ("391895", "coco/391895"),
        ("000000391895", "coco/391895"),
        ("val2014/COCO_val2014_000000391895.jpg", "coco/391895"),
        ("36979.jpg", "flickr30k/36979"),
        ("16", "flickr30k/16"),
        ("22439193117_4183a49ec2", "multi30k/22439193117_4183a49ec2"),
        ("holiday/beach", "mine/holiday/beach.png"),
        ("391896", "unknown/391896"),
    ],
)
def test_an_image_is_known_by_every_published_name(published: str, image_id: str) -> None:
    wanted = ["coco/391895", "coco/16", "flickr30k/36979", "flickr30k/16", "multi30k/22439193117_4183a49ec2"]
    assert PublishedNames.of([*wanted, "mine/holiday/beach.png"]).image_id(published) == image_id


def test_pictures_of_one_s_own_may_stand_in_a_dataset_called_coco() -> None:
    names = PublishedNames.of(["coco/COCO_val2014_000000391895.jpg", "coco/holiday/beach.png"])
    assert names.image_id("COCO_val2014_000000391895") == "coco/COCO_val2014_000000391895.jpg"
    assert names.image_id("holiday/beach") == "coco/holiday/beach.png"


def test_stores_with_other_label_names_stand_in_one_gallery_without_labels(
    world: SimpleNamespace, tmp_path: Path
) -> None:
    paths = [imported(world.datasets[name], "test", tmp_path / name) for name in ("coco", "xflickrco")]
    first, second = (RegionStore.open(path) for path in paths)
    named = replace(first, label_names=("dog",))
    other = second.take([second.row_by_id[name] for name in second.image_ids if name.startswith("flickr30k/")])
    both = RegionStore.concatenated([named, other])
    assert both.label_names == ()
    assert set(both.labels.tolist()) == {-1}
    assert len(both) == len(first) + len(other)
