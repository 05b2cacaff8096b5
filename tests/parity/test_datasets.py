"""Our readers give what the authors' loaders give of the same files: captions, their images, tags and features.

The files are small, in every published layout; of features they hold the two images whose sums were recorded.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from reranksmart.datasets.coco import coco_1k, read_oscar_coco
from reranksmart.datasets.conceptual_captions import read_conceptual_captions
from reranksmart.datasets.flickr30k import read_flickr30k_entities
from reranksmart.datasets.multi30k import read_multi30k
from reranksmart.regions.formats.folders import read_npz_folder, read_pt_folder
from reranksmart.regions.formats.oscar import read_object_tags, read_oscar_features
from reranksmart.regions.formats.tsv import read_bottom_up_tsv
from reranksmart.regions.formats.writer import convert_regions
from reranksmart.values.records import Captions, Direction

ALL = {"captions_per_image": None}
CAPTIONS: dict[str, Callable[[Path], Captions]] = {
    "coco_test_5k": lambda folder: read_oscar_coco(folder / "coco_ir", split="test", **ALL),
    "coco_test_1k": lambda folder: coco_1k(
        read_oscar_coco(folder / "coco_ir", split="test", **ALL), folder / "coco_ir" / "test_img_keys_1k.tsv"
    ),
    "coco_dev": lambda folder: read_oscar_coco(folder / "coco_ir", split="dev", **ALL),
    "coco_dev_1cap": lambda folder: read_oscar_coco(folder / "coco_ir", split="dev", captions_per_image=1),
    "flickr_test": lambda folder: read_flickr30k_entities(folder / "flickr30k_entities", split="test"),
    "flickr_dev_1cap": lambda folder: read_flickr30k_entities(
        folder / "flickr30k_entities", split="dev", captions_per_image=1
    ),
    "cc_test": lambda folder: read_conceptual_captions(folder / "cc" / "cc_test.tsv"),
    "multi30k_test_en_first_call": lambda folder: read_multi30k(
        folder / "multi30k", task=2, split="test_2016", languages=["en"]
    ),
    "multi30k_test_fr_first_call": lambda folder: read_multi30k(
        folder / "multi30k", task=1, split="test_2016", languages=["fr"]
    ),
}
FEATURES = {
    "coco_test_5k": lambda folder: read_oscar_features(folder / "coco_ir" / "test_img_frcnn_feats.pt"),
    "flickr_test": lambda folder: read_bottom_up_tsv(folder / "flickr_feats" / "test.tsv"),
    "cc_test": lambda folder: read_npz_folder(folder / "cc" / "features_test"),
    "multi30k_test_en_first_call": lambda folder: read_pt_folder(folder / "m3p_features"),
}


@pytest.fixture(scope="module")
def folder(recorded, tmp_path_factory) -> Path:
    found = tmp_path_factory.mktemp("datasets")
    with zipfile.ZipFile(recorded.data / "datasets.zip") as archive:
        archive.extractall(found)
    return found


@pytest.fixture(scope="module")
def loaded(recorded) -> dict:
    """What the authors' loaders returned, by case."""
    return json.loads((recorded.data / "datasets.json").read_text())


def published_image(image_id: str) -> str:
    """The authors' id of an image; those of Conceptual Captions are padded to twelve digits with nines and a zero."""
    dataset, _, number = image_id.partition("/")
    return f"0{number}".rjust(12, "9") if dataset == "cc" else number


@pytest.mark.parametrize("case", CAPTIONS)
def test_captions_are_those_of_the_authors_loader(folder: Path, loaded: dict, case: str) -> None:
    captions, theirs = CAPTIONS[case](folder), loaded[case]
    items = captions.relevance().items_by_query(Direction.IMAGE_TO_TEXT)
    text_of = dict(zip(captions.ids, captions.texts, strict=True))
    ours = {published_image(image): sorted(text_of[caption] for caption in own) for image, own in items.items()}
    recorded = theirs["image_captions"].items()
    assert ours == {image: sorted(theirs["captions"][caption] for caption in own) for image, own in recorded}


@pytest.mark.parametrize("case", FEATURES)
def test_features_are_those_of_the_authors_loader(folder: Path, loaded: dict, tmp_path: Path, case: str) -> None:
    store = convert_regions(FEATURES[case](folder), tmp_path / "store", image_id="cc/{}".format)
    named = dict(zip(store.image_ids, store, strict=True))
    ids = {published_image(id_ if case == "cc_test" else id_.replace("cc/", "x/")): id_ for id_ in named}
    sums = {image: float(named[id_].features.astype(np.float64).sum()) for image, id_ in ids.items()}
    assert sums == pytest.approx(loaded[case]["features"], rel=2e-5)  # ours are rounded to float16


def test_object_tags_are_those_of_the_authors_loader(folder: Path, loaded: dict) -> None:
    assert read_object_tags(folder / "coco_ir" / "test_vg_labels.pt", image_id=str) == loaded["coco_test_tags"]["tags"]
