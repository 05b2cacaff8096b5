"""Own files are compared by content: sentences and pictures that splits share, or that a split holds twice."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reranksmart.datasets.files import Files
from reranksmart.datasets.prepared.leaks import audit_training
from reranksmart.datasets.prepared.relevance import relevance_of
from reranksmart.values.records import Relevance


def photograph(path: Path, seed: int, *, side: int = 96, quality: int = 95) -> None:
    """A picture of smooth colours, the same for a seed in any size."""
    coarse = np.random.default_rng(seed).integers(0, 256, size=(6, 6, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC).save(path, quality=quality)


def dataset(
    root: Path, rows: dict[str, list[tuple[str, str]]], *, name: str = "mine", **settings: str
) -> tuple[Files, dict[str, Path]]:
    """The prepared splits of (picture, text) rows whose pictures lie in ``root``."""
    splits = {}
    for split, said in rows.items():
        table = root / f"{split}.jsonl"
        table.write_text("".join(f"{json.dumps({'image': image, 'text': text})}\n" for image, text in said))
        splits[split] = {"captions": str(table), "images": str(root)}
    found = Files.model_validate({"kind": "files", "splits": splits, **settings})
    folders = {split: root / "prepared" / name / split for split in rows}
    for split, folder in folders.items():
        found.prepare(split, folder, name=name)
    return found, folders


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for number in range(8):
        photograph(tmp_path / f"{number}.jpg", number)
    photograph(tmp_path / "0-again.jpg", 0, quality=60)
    photograph(tmp_path / "1-small.jpg", 1, side=48)
    return tmp_path


def test_sentences_and_pictures_of_the_training_in_a_test_are_counted_and_refused_on_request(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = {
        "train": [(f"{n}.jpg", f"A dog number {n}.") for n in range(4)],
        "test": [
            ("0-again.jpg", "a dog, number 2!"),
            ("1-small.jpg", "Another"),
            ("5.jpg", "A cat."),
            ("6.jpg", "Two."),
        ],
    }
    mine, folders = dataset(pictures, rows)
    counts = mine.audit(folders)
    assert (counts["pictures"], counts["shared_sentences"], counts["shared_pictures"]) == (8, 1, 2)
    told = capsys.readouterr().err
    assert "split 'test' shares 1 of its sentences with 'train': 'a dog, number 2!'" in told
    assert "split 'test' shares 2 of its pictures with 'train': mine/0-again.jpg, mine/1-small.jpg" in told
    strict = mine.model_copy(update={"doubles": "refuse"})
    with pytest.raises(ValueError, match=r"share what was not to be shared .*(?s:.)* shares 2 of its pictures"):
        strict.audit(folders)


def test_different_pictures_and_sentences_are_not_taken_for_doubles(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = {
        split: [(f"{n}.jpg", f"Thing {n}.") for n in numbers]
        for split, numbers in (("a", range(4)), ("b", range(4, 8)))
    }
    mine, folders = dataset(pictures, rows, doubles="refuse")
    assert mine.audit(folders) == {"pictures": 8, "captions": 8}
    assert "warning" not in capsys.readouterr().err


def test_pictures_of_the_training_saved_anew_in_another_dataset_are_counted_and_refused_on_request(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = {split: [(f"{n}.jpg", f"T {n}.") for n in (first, first + 1)] for split, first in (("train", 0), ("dev", 2))}
    _, learned = dataset(pictures, rows)
    names = ("0-again.jpg", "1-small.jpg", "5.jpg")
    _, others = dataset(pictures, {"seen": [(name, name) for name in names], "new": [("6.jpg", "6")]}, name="other")
    asked = {"training_set": "t", "trained": learned, "tested": {"a": [others["seen"], others["new"]]}}
    capsys.readouterr()
    assert [(row["shared"], row["alike"]) for row in audit_training(**asked)] == [(0, 2), (0, 0)]
    told = "2 of the 4 images of a look as one of t (train): other/0-again.jpg, other/1-small.jpg"
    assert told in capsys.readouterr().err
    with pytest.raises(ValueError, match=r"doubles: refuse(?s:.)* 2 of the 4 images of a look as one of t \(train\)"):
        audit_training(**asked, doubles="refuse")
    asked["tested"] = {"b": [others["new"]]}
    assert [row["alike"] for row in audit_training(**asked, doubles="refuse")] == [0, 0]
    assert "warning" not in capsys.readouterr().err


def test_a_copy_in_another_dataset_is_shared_and_not_alike_as_well(pictures: Path) -> None:
    _, learned = dataset(pictures, {"train": [("0.jpg", "T.")], "dev": [("2.jpg", "D.")]})
    _, others = dataset(pictures, {"seen": [("0.jpg", "S.")]}, name="other")
    rows = audit_training(training_set="t", trained=learned, tested={"a": [others["seen"]]}, allowed=["a"])
    assert [(row["shared"], row["alike"]) for row in rows] == [(1, 0), (0, 0)]


def pairs(relevance: Relevance) -> set[tuple[str, str]]:
    return set(zip(relevance.caption_ids, relevance.image_ids, strict=True))


def test_one_sentence_is_right_of_every_picture_that_has_it_and_of_copies(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "copy.jpg").write_bytes((pictures / "2.jpg").read_bytes())
    rows = [
        ("0.jpg", "A dog."),
        ("1.jpg", "a dog"),
        ("2.jpg", "A cat."),
        ("copy.jpg", "The cat at home."),
        ("3.jpg", "Tea."),
    ]
    _, folders = dataset(pictures, {"test": rows})
    capsys.readouterr()
    found = pairs(relevance_of([folders["test"]]))
    described = {(f"mine/{image}#0", f"mine/{image}") for image, _ in rows}
    shared = {("0", "1"), ("1", "0"), ("2", "copy"), ("copy", "2")}
    assert found == described | {(f"mine/{one}.jpg#0", f"mine/{other}.jpg") for one, other in shared}
    assert "4 pairs of caption and picture are right besides those in the captions file" in capsys.readouterr().err


def test_an_image_without_a_caption_in_a_language_that_is_measured_is_named_before_training(pictures: Path) -> None:
    table = pictures / "test.jsonl"
    rows = [
        {"image": f"{n}.jpg", "text": f"{language} {n}", "language": language}
        for n in range(4)
        for language in ("en", "de")
        if (n, language) != (2, "de")
    ]
    table.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    splits = {"test": {"captions": str(table), "images": str(pictures)}}
    test = pictures / "prepared" / "mine" / "test"
    Files.model_validate({"kind": "files", "languages": ["en", "de"], "splits": splits}).prepare(
        "test", test, name="mine"
    )
    _, others = dataset(pictures, {split: [(f"{n}.jpg", f"T {n}.")] for split, n in (("train", 5), ("dev", 6))})
    asked = {"training_set": "mine", "trained": others, "tested": {"mine": [test]}}
    assert audit_training(**asked, languages={"mine": ["en"]})
    with pytest.raises(ValueError, match=r"'mine': 1 of 4 images have no caption in 'de', as 'mine/2\.jpg'"):
        audit_training(**asked, languages={"mine": ["en", "de"]})
