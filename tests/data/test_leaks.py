"""A model is not tested on what it trained on: by id, by content, within and across datasets."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from reranksmart.datasets.prepared.layout import picture_path
from reranksmart.datasets.prepared.leaks import audit_training
from reranksmart.files.storage import write_captions
from reranksmart.values.records import Captions


def split(folder: Path, image_ids: list[str], *, colours: dict[str, str] | None = None) -> Path:
    """A prepared split; the pictures of ``colours`` are of one colour each."""
    texts = tuple("a dog" for _ in image_ids)
    ids = tuple(f"{image_id}#0" for image_id in image_ids)
    (folder / "images").mkdir(parents=True)
    write_captions(folder / "captions.jsonl", Captions(ids, texts, tuple(image_ids), ("en",) * len(ids)))
    for image_id, colour in (colours or {}).items():
        Image.new("RGB", (8, 8), colour).save(picture_path(folder, image_id), "PNG")
    return folder


@pytest.fixture
def trained(tmp_path: Path) -> dict[str, Path]:
    colours = {"flickr30k/1": "red", "flickr30k/2": "blue"}
    return {
        "train": split(tmp_path / "train", ["flickr30k/1", "flickr30k/2", "flickr30k/3"], colours=colours),
        "dev": split(tmp_path / "dev", ["flickr30k/4"]),
    }


def test_splits_that_share_nothing_are_counted(trained: dict[str, Path], tmp_path: Path) -> None:
    tested = {"coco": [split(tmp_path / "a", ["coco/1"]), split(tmp_path / "b", ["coco/2"])]}
    rows = audit_training(training_set="flickr", trained=trained, tested=tested)
    assert [(row["trained"], row["trained_images"], row["tested_images"], row["shared"]) for row in rows] == [
        ("flickr (train)", 3, 2, 0),
        ("flickr (dev)", 1, 2, 0),
    ]


@pytest.mark.parametrize(("image", "role"), [("flickr30k/3", "train"), ("flickr30k/4", "dev")])
def test_an_image_in_training_and_test_is_refused(
    trained: dict[str, Path], tmp_path: Path, image: str, role: str
) -> None:
    tested = {"entities": [split(tmp_path / "a", ["flickr30k/9", image])]}
    with pytest.raises(ValueError, match=rf"flickr \({role}\) and entities share 1 of . and 2 images \({image}\)"):
        audit_training(training_set="flickr", trained=trained, tested=tested)


def test_an_image_among_the_distractors_is_refused_too(trained: dict[str, Path], tmp_path: Path) -> None:
    tested = {"enlarged": [split(tmp_path / "a", ["coco/1"]), split(tmp_path / "b", ["flickr30k/2"])]}
    with pytest.raises(ValueError, match="share 1 of 3 and 2"):
        audit_training(training_set="flickr", trained=trained, tested=tested)


def test_the_same_picture_under_another_id_is_refused(trained: dict[str, Path], tmp_path: Path) -> None:
    other = split(tmp_path / "a", ["mine/x", "mine/y"], colours={"mine/x": "blue", "mine/y": "green"})
    with pytest.raises(ValueError, match=r"share 1 of 3 and 2 images \(flickr30k/2\)"):
        audit_training(training_set="flickr", trained=trained, tested={"mine": [other]})


def test_an_allowed_leak_is_counted_and_allows_no_other(trained: dict[str, Path], tmp_path: Path) -> None:
    leaking = {name: [split(tmp_path / name, ["flickr30k/1"])] for name in ("one", "two")}
    rows = audit_training(training_set="f", trained=trained, tested={"one": leaking["one"]}, allowed=["one"])
    assert rows[0]["shared"] == 1
    assert rows[0]["shown"] == ["flickr30k/1"]
    with pytest.raises(ValueError, match=r"f \(train\) and two share 1"):
        audit_training(training_set="f", trained=trained, tested=leaking, allowed=["one"])


def test_allowing_a_leak_that_is_none_is_a_fault(trained: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the leak of 'f' into 'a' is allowed, but there is none"):
        audit_training(
            training_set="f", trained=trained, tested={"a": [split(tmp_path / "a", ["coco/1"])]}, allowed=["a"]
        )


def test_selecting_on_trained_images_is_refused(trained: dict[str, Path], tmp_path: Path) -> None:
    trained["dev"] = split(tmp_path / "other", ["flickr30k/2"])
    with pytest.raises(ValueError, match="selected on images that they learn"):
        audit_training(training_set="f", trained=trained, tested={})
