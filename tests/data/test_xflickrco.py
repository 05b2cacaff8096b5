"""xFlickrCO, generated small in IGLUE's layout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reranksmart.datasets.xflickrco import LANGUAGES, read_xflickrco
from reranksmart.values.records import Captions

PICTURES = [f"{1007129816 + place}.jpg" for place in range(6)] + [
    f"COCO_val2014_{number:012}.jpg" for number in range(391895, 391901)
]


def record(captions: Captions, row: int) -> tuple[str, str, str, str]:
    return captions.ids[row], captions.texts[row], captions.image_ids[row], captions.languages[row]


def write(path: Path, pictures: list[str], *, text: str = "説明", each: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"sentences": [f"{text} {name} {number} " for number in range(each)], "id": name, "img_path": name}
        for name in pictures
    ]
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for language in LANGUAGES:
        write(tmp_path / "annotations" / language / "test.jsonl", PICTURES)
    write(tmp_path / "annotations" / "de" / "train_100x5.jsonl", ["36979.jpg"], each=5)
    return tmp_path


def test_each_language_describes_the_same_pictures_once(folder: Path) -> None:
    captions = read_xflickrco(folder, languages=["ja", "de"])
    assert len(captions) == 24
    assert record(captions, 0) == (
        "xflickrco/1007129816#ja0",
        "説明 1007129816.jpg 0",
        "flickr30k/1007129816",
        "ja",
    )
    assert record(captions, 9)[:3:2] == ("xflickrco/COCO_val2014_000000391898#ja0", "coco/391898")
    assert record(captions, -1)[:3:2] == ("xflickrco/COCO_val2014_000000391900#de0", "coco/391900")
    assert len(set(read_xflickrco(folder, languages=LANGUAGES).image_ids)) == 12


def test_few_shot_splits_may_have_several_captions_a_picture(folder: Path) -> None:
    captions = read_xflickrco(folder, languages=["de"], split="train_100x5")
    assert captions.ids == tuple(f"xflickrco/36979#de{number}" for number in range(5))


@pytest.mark.parametrize(("language", "known"), [("de", True), ("ja", False)])
def test_only_the_captions_that_are_published_empty_are_left_out(folder: Path, language: str, known: bool) -> None:
    path = folder / "annotations" / language / "test.jsonl"
    row = {"sentences": [""], "id": 122239, "img_path": "COCO_val2014_000000122239.jpg"}
    path.write_text(f"{path.read_text()}{json.dumps(row)}\n")
    if known:
        assert "coco/122239" not in read_xflickrco(folder, languages=[language]).image_ids
    else:
        with pytest.raises(ValueError, match=r"ja/test\.jsonl, line 13: the caption is empty"):
            read_xflickrco(folder, languages=[language])


def test_a_fault_is_named(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"language 'fr' is unknown; there are \['en', 'de'"):
        read_xflickrco(folder, languages=["fr"])
    with pytest.raises(ValueError, match=r"de/train_7\.jsonl does not exist"):
        read_xflickrco(folder, languages=["de"], split="train_7")
    write(folder / "annotations" / "de" / "test.jsonl", ["1.jpg", "1.jpg"])
    with pytest.raises(ValueError, match=r"line 2: caption id 'xflickrco/1#de0' is that of .*line 1 too"):
        read_xflickrco(folder, languages=["de"])
    write(folder / "annotations" / "de" / "test.jsonl", ["dog.jpg"])
    with pytest.raises(ValueError, match=r"line 1: 'dog' is neither a number of Flickr30k's nor"):
        read_xflickrco(folder, languages=["de"])
