"""SugarCrepe, SugarCrepe++ and ARO, generated small in the published layouts, prepared and measured as twins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter

from reranksmart.config.datasets import AnyDataset
from reranksmart.datasets.prepared.layout import picture_path, read_foils, read_image_ids
from reranksmart.evaluation.twins import twin_accuracy
from reranksmart.files.storage import read_captions


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(12):
        picture = Image.new("RGB", (20, 10), (number, 0, 0))
        picture.paste((0, 200, number), (10, 2, 15, 6))
        picture.save(folder / f"{number:012}.png")
    return folder


def prepared(kind: dict[str, Any], split: str, pictures: Path, folder: Path) -> Path:
    settings = {**kind, "images": [str(pictures)], "splits": {split: {}}}
    found = TypeAdapter(AnyDataset).validate_python(settings).prepare(split, folder, name="choices")
    assert found.images == len(read_image_ids(folder))
    return folder


def sugarcrepe(folder: Path, *, edition: str = "sugarcrepe") -> dict[str, Any]:
    rows = [{"filename": f"{n:012}.png", "caption": f"Cat {n}. ", "negative_caption": f"Dog {n}."} for n in range(12)]
    if edition == "sugarcrepe_pp":
        rows = [{"id": n, **row, "caption2": f"A cat: {n}."} for n, row in enumerate(rows)]
    content = dict(enumerate(rows)) if edition == "sugarcrepe" else rows
    (folder / "swap_obj.json").write_text(json.dumps(content))
    return {"kind": "sugarcrepe", "edition": edition, "annotations": str(folder)}


def test_a_choice_is_two_images_of_one_picture_the_second_with_the_false_caption(
    tmp_path: Path, pictures: Path
) -> None:
    folder = prepared(sugarcrepe(tmp_path), "swap_obj", pictures, tmp_path / "out")
    captions = read_captions(folder / "captions.jsonl")
    assert len(captions) == 24
    assert captions.texts[:2] == ("Cat 0.", "Dog 0.")
    assert captions.texts[18:20] == ("Cat 9.", "Dog 9.")
    assert captions.image_ids[-2:] == ("sugarcrepe/swap_obj-11", "sugarcrepe/swap_obj-11-foil")
    assert read_foils(folder) == set(captions.image_ids[1::2])
    seen = {picture_path(folder, image).resolve() for image in captions.image_ids[18:20]}
    assert seen == {pictures / "000000000009.png"}


def test_both_true_captions_of_sugarcrepe_pp_stand_against_the_false_one(tmp_path: Path, pictures: Path) -> None:
    folder = prepared(sugarcrepe(tmp_path, edition="sugarcrepe_pp"), "swap_obj", pictures, tmp_path / "out")
    captions = read_captions(folder / "captions.jsonl")
    assert captions.texts[-4:] == ("Cat 11.", "A cat: 11.", "Dog 11.", "Dog 11.")
    assert captions.image_ids[-3] == "sugarcrepe_pp/swap_obj-11"


def test_of_aro_s_pictures_the_part_with_the_relation_is_shown(tmp_path: Path, pictures: Path) -> None:
    rows = [
        {
            **{
                "image_path": f"{n:012}.png",
                "bbox_x": 10,
                "bbox_y": 2,
                "bbox_w": 5,
                "bbox_h": 4,
                "relation_name": "on",
            },
            **{"true_caption": "the cat is on the mat", "false_caption": "the mat is on the cat"},
        }
        for n in range(12)
    ]
    (tmp_path / "visual_genome_relation.json").write_text(json.dumps(rows))
    kind = {"kind": "aro", "annotations": str(tmp_path)}
    folder = prepared(kind, "relation", pictures, tmp_path / "out")
    assert read_image_ids(folder)[-1] == "aro/relation-11-foil.png"
    with Image.open(picture_path(folder, "aro/relation-11.png")) as shown:
        assert (shown.size, shown.getcolors()) == ((5, 4), [(20, (0, 200, 11))])
    rows[3]["bbox_w"] = 0
    (tmp_path / "visual_genome_relation.json").write_text(json.dumps(rows))
    with pytest.raises(ValueError, match=r"record 3: the box is 0 x 4 pixels"):
        prepared(kind, "relation", pictures, tmp_path / "again")


def test_what_cannot_be_chosen_from_is_named(tmp_path: Path, pictures: Path) -> None:
    kind = sugarcrepe(tmp_path)
    (pictures / "000000000009.png").unlink()
    with pytest.raises(ValueError, match=r"record 9: picture '000000000009\.png' is in none of"):
        prepared(kind, "swap_obj", pictures, tmp_path / "out")
    with pytest.raises(ValueError, match="give images, folders of pictures, and no regions"):
        TypeAdapter(AnyDataset).validate_python({**kind, "splits": {"swap_obj": {}}})
    (tmp_path / "swap_obj.json").write_text('{"0": {"filename": "a.jpg", "caption": "A"}}')
    with pytest.raises(ValueError, match=r"record 0: 'negative_caption' must be there and be a str"):
        prepared(kind, "swap_obj", pictures, tmp_path / "out")


def test_an_image_with_foils_is_right_where_all_its_captions_beat_the_false_one(tmp_path: Path, pictures: Path) -> None:
    folder = prepared(sugarcrepe(tmp_path, edition="sugarcrepe_pp"), "swap_obj", pictures, tmp_path / "out")
    captions, images = read_captions(folder / "captions.jsonl"), read_image_ids(folder)
    scores = np.zeros(len(captions), dtype=np.float32)
    scores[0:2] = 1  # both win
    scores[4:6] = 1, -1  # one wins
    scores[8:10] = 1, 0  # one wins, the other ties: half
    scores[12:] = np.tile(np.array([2, 2, 3, 3], dtype=np.float32), 9)  # all others lose
    rng = np.random.default_rng(1)
    found = twin_accuracy(
        captions, images, own_scores=scores, twin_scores=scores, experiment={}, foils=read_foils(folder), rng=rng
    )
    assert list(found["direction"]) == ["image-to-text"]
    row = found.iloc[0]
    assert (row["value"], row["queries"], row["images"]) == (pytest.approx(100 * 1.5 / 12), 12, 24)
    assert row["low"] <= row["value"] <= row["high"]
    with pytest.raises(ValueError, match="1 of 24 images are foils; it must be every second"):
        twin_accuracy(
            captions, images, own_scores=scores, twin_scores=scores, experiment={}, foils=images[1:2], rng=rng
        )
