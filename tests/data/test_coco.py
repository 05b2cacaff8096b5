"""COCO's files, generated small in the published layouts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reranksmart.datasets.coco import (
    coco_1k,
    coco_folds,
    read_coco,
    read_coco_list,
    read_coco_numbers,
    read_oscar_coco,
)
from reranksmart.datasets.published.captions import first_images
from reranksmart.values.records import Captions, Direction

# Ten test images; every other one has six captions, the last one seven.
TEST = [391895 + 7 * place for place in range(10)]
EACH = [5 + place % 2 for place in range(9)] + [7]


def record(captions: Captions, row: int) -> tuple[str, str, str, str]:
    return captions.ids[row], captions.texts[row], captions.image_ids[row], captions.languages[row]


def texts_of(image: int, count: int) -> list[str]:
    return [f"A dog {image} does {number}. " for number in range(count)]


def karpathy(image: int, count: int, split: str) -> dict[str, Any]:
    folder = "train2014" if split == "train" else "val2014"
    sentences = [
        {"tokens": text.split(), "raw": text, "imgid": 0, "sentid": 100 * image + number}
        for number, text in enumerate(texts_of(image, count))
    ]
    return {
        "filepath": folder,
        "sentids": [sentence["sentid"] for sentence in sentences],
        "filename": f"COCO_{folder}_{image:012}.jpg",
        "imgid": 0,
        "split": split,
        "sentences": sentences,
        "cocoid": image,
    }


@pytest.fixture
def karpathy_file(tmp_path: Path) -> Path:
    """All splits in one file, mixed as they are in the published one."""
    rows = [karpathy(image, each, "test") for image, each in zip(TEST, EACH, strict=True)]
    rows[3:3] = [karpathy(9, 5, "train"), karpathy(25, 5, "restval"), karpathy(30, 5, "val")]
    path = tmp_path / "dataset_coco.json"
    path.write_text(json.dumps({"images": rows, "dataset": "coco"}))
    return path


@pytest.fixture
def oscar(tmp_path: Path) -> Path:
    folder = tmp_path / "coco_ir"
    folder.mkdir()
    for split, shift in (("train", 1000), ("minival", 2000), ("test", 0)):
        images = [image + shift for image in TEST]
        (folder / f"{split}_img_keys.tsv").write_text("".join(f"{image}\n" for image in images))
        content = {image: json.dumps(texts_of(image, each)) for image, each in zip(images, EACH, strict=True)}
        torch.save(content, folder / f"{split}_captions.pt")
    (folder / "test_img_keys_1k.tsv").write_text("".join(f"{image}\r\n" for image in reversed(TEST[:4])))
    return folder


def test_five_captions_an_image_are_read_from_karpathys_file(karpathy_file: Path) -> None:
    captions = read_coco(karpathy_file, split="test")
    assert len(captions) == 50
    assert record(captions, 0) == ("coco/391895#0", "A dog 391895 does 0.", "coco/391895", "en")
    assert record(captions, 9) == ("coco/391902#4", "A dog 391902 does 4.", "coco/391902", "en")
    assert record(captions, -1) == ("coco/391958#4", "A dog 391958 does 4.", "coco/391958", "en")


def test_all_captions_are_read_on_request(karpathy_file: Path) -> None:
    captions = read_coco(karpathy_file, split="test", captions_per_image=None)
    assert len(captions) == sum(EACH)
    assert record(captions, -1) == ("coco/391958#6", "A dog 391958 does 6.", "coco/391958", "en")


def test_train_holds_restval_too_and_dev_is_val(karpathy_file: Path) -> None:
    assert set(read_coco(karpathy_file, split="train").image_ids) == {"coco/9", "coco/25"}
    assert set(read_coco(karpathy_file, split="dev").image_ids) == {"coco/30"}


def test_the_names_of_2017_are_those_of_2014_by_their_digits(karpathy_file: Path) -> None:
    before = read_coco(karpathy_file, split="test")
    text = karpathy_file.read_text()
    karpathy_file.write_text(re.sub(r"COCO_\w+2014_", "", text))
    assert read_coco(karpathy_file, split="test") == before


def test_cocos_own_captions_file_is_named_for_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "captions_val2014.json"
    rows = {"images": [{"id": 9, "file_name": "COCO_val2014_000000000009.jpg"}], "info": {}, "licenses": []}
    path.write_text(json.dumps({**rows, "annotations": [{"id": 1, "image_id": 9, "caption": "A man"}]}))
    with pytest.raises(ValueError, match=r"COCO's own captions file.* Give Karpathy's dataset_coco\.json"):
        read_coco(path, split="test")


def test_cocos_own_caption_numbers_are_kept(karpathy_file: Path) -> None:
    numbers = read_coco_numbers(karpathy_file, split="test")
    assert len(numbers) == sum(EACH)
    assert numbers["coco/391902#4"] == 39190204


@pytest.mark.parametrize("split", ["test", "train"])
def test_a_file_of_one_split_gives_the_same_captions(karpathy_file: Path, split: str) -> None:
    places = [f"val2014/COCO_val2014_{image:012}.jpg" for image in TEST]
    many = [(place, texts_of(image, each)) for place, image, each in zip(places, TEST, EACH, strict=True)]
    rows: list[dict[str, Any]] = [{"image": place, "caption": texts} for place, texts in many]
    if split == "train":
        rows = [{"image": place, "caption": text, "image_id": "coco"} for place, texts in many for text in texts]
    path = karpathy_file.with_name(f"coco_karpathy_{split}.json")
    path.write_text("\ufeff" + json.dumps(rows, indent=1).replace("\n", "\r\n"))
    assert read_coco(path) == read_coco(karpathy_file, split="test")


@pytest.mark.parametrize(
    ("split", "shift", "published"), [("train", 1000, "train"), ("dev", 2000, "minival"), ("test", 0, "test")]
)
def test_oscars_files_are_read_in_the_order_of_their_list(oscar: Path, split: str, shift: int, published: str) -> None:
    captions = read_oscar_coco(oscar, split=split)
    first, tenth, last = TEST[0] + shift, TEST[1] + shift, TEST[-1] + shift
    assert len(captions) == 50
    assert record(captions, 0) == (f"coco/{first}#0", f"A dog {first} does 0.", f"coco/{first}", "en")
    assert record(captions, 9) == (f"coco/{tenth}#4", f"A dog {tenth} does 4.", f"coco/{tenth}", "en")
    assert record(captions, -1) == (f"coco/{last}#4", f"A dog {last} does 4.", f"coco/{last}", "en")
    torch.save({TEST[0] + shift: texts_of(1, 5)}, oscar / f"{published}_captions.pt")
    (oscar / f"{published}_img_keys.tsv").write_text(f"{TEST[0] + shift}")
    assert read_oscar_coco(oscar, split=split).texts == tuple(text.strip() for text in texts_of(1, 5))


def test_oscar_and_karpathy_agree(oscar: Path, karpathy_file: Path) -> None:
    for each in (5, None, 1):
        ours = read_oscar_coco(oscar, split="test", captions_per_image=each)
        assert ours == read_coco(karpathy_file, split="test", captions_per_image=each)


def test_the_published_codes_1k_list_is_a_test_set(oscar: Path, karpathy_file: Path) -> None:
    found = [
        coco_1k(captions, oscar / "test_img_keys_1k.tsv")
        for captions in (read_oscar_coco(oscar, split="test"), read_coco(karpathy_file, split="test"))
    ]
    for captions in found:
        assert set(captions.image_ids) == {f"coco/{image}" for image in TEST[:4]}
    assert set(found[0].ids) == set(found[1].ids)
    with pytest.raises(ValueError, match=r"1k\.tsv: 4 of 4 images have no caption in this split, as 'coco/391895'"):
        coco_1k(read_coco(karpathy_file, split="dev"), oscar / "test_img_keys_1k.tsv")


def test_the_folds_are_consecutive_images_and_miss_none(karpathy_file: Path) -> None:
    captions = read_coco(karpathy_file, split="test")
    folds = coco_folds(captions)
    assert [list(dict.fromkeys(fold.image_ids)) for fold in folds] == [
        [f"coco/{TEST[2 * fold]}", f"coco/{TEST[2 * fold + 1]}"] for fold in range(5)
    ]
    assert [caption for fold in folds for caption in fold.ids] == list(captions.ids)
    with pytest.raises(ValueError, match="10 images do not make 3 equal folds"):
        coco_folds(captions, count=3)


def test_a_small_set_is_the_first_images_and_leaves_numpys_global_generator_alone(oscar: Path) -> None:
    """The published code seeds numpy with 2020 to draw a small set, and with it all draws that come after."""
    np.random.seed(7)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    first_images(read_oscar_coco(oscar, split="dev"), 3)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_the_order_is_that_of_the_file(oscar: Path) -> None:
    """The published code takes images from sets, whose order changes with every run."""
    for _ in range(2):
        captions = read_oscar_coco(oscar, split="dev")
        assert list(dict.fromkeys(captions.image_ids)) == [f"coco/{image + 2000}" for image in TEST]


def test_a_small_dev_set_needs_nothing_but_its_size(oscar: Path) -> None:
    """The published code fails without a second key that no published configuration has."""
    assert len(set(first_images(read_oscar_coco(oscar, split="dev"), 3).image_ids)) == 3


def test_the_first_image_is_no_header_and_k_images_are_k(oscar: Path) -> None:
    """The published code reads the first image of a list as a header, and gives k + 1 images."""
    assert len(read_coco_list(oscar / "minival_img_keys.tsv")) == len(TEST)
    small = first_images(read_oscar_coco(oscar, split="dev"), 4)
    assert list(dict.fromkeys(small.image_ids)) == [f"coco/{image + 2000}" for image in TEST[:4]]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"raw": "A dog 391895 does 3. "', '"raw": " "', r"json, image 1: the caption is empty"),
        ('"raw": "A dog 391895 does 3. "', '"raw": 3', r"json, image 1: 'raw' must be there and be a str, got 3"),
        ('"split": "test"', '"split": null', r"json, image 1: 'split' must be there"),
        ("000000391902", "000000391895", r"image 2: caption id 'coco/391895#0' is that of .*image 1 too"),
        ("COCO_val2014_000000391895.jpg", "36979.jpg", r"image 1: '36979' is no picture of coco"),
        ("COCO_val2014_000000391895.jpg", "dog.jpg", r"image 1: 'dog' is neither a number of Flickr30k's nor"),
        ('"images"', '"pictures"', "neither a list nor an object with a list of 'images'"),
        ("391895", "39189,", r"json, line 1, column \d+: this is not JSON"),
    ],
)
def test_a_fault_in_karpathys_file_is_named(karpathy_file: Path, old: str, new: str, said: str) -> None:
    change(karpathy_file, old, new)
    with pytest.raises(ValueError, match=said):
        read_coco(karpathy_file, split="test")


def test_an_image_with_too_few_captions_is_named(karpathy_file: Path) -> None:
    with pytest.raises(ValueError, match=r"image 'coco/391895' has 5 captions in 'en', not the 6 that are asked for"):
        read_coco(karpathy_file, split="test", captions_per_image=6)


def test_a_split_must_be_chosen_where_there_are_several_and_only_there(karpathy_file: Path) -> None:
    with pytest.raises(ValueError, match=r"holds all splits; say which: \['train', 'dev', 'test'\]"):
        read_coco(karpathy_file)
    with pytest.raises(ValueError, match=r"split 'val' is unknown; there are \['train', 'dev', 'test'\]"):
        read_coco(karpathy_file, split="val")
    path = karpathy_file.with_name("coco_karpathy_test.json")
    path.write_text("[]")
    with pytest.raises(ValueError, match="holds one split only"):
        read_coco(path, split="test")
    with pytest.raises(ValueError, match="holds no caption"):
        read_coco(path)


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("test_captions.pt", None, r"test_captions\.pt is missing\. .* Fetch OSCAR's coco_ir"),
        ("test_captions.pt", b"no pickle", r"test_captions\.pt cannot be read .* Code in such a file is never run"),
        ("test_captions.pt", b"", r"test_captions\.pt cannot be read"),
        ("test_img_keys.tsv", None, r"test_img_keys\.tsv does not exist"),
        ("test_img_keys.tsv", b"391895\n391895\n", r"line 2: '391895' stands on line 1 already"),
        ("test_img_keys.tsv", b"391895\n\n391902\n", "line 2 is empty"),
        ("test_img_keys.tsv", b"image_id\n391895\n", r"line 1: 'image_id' is no number of a COCO image"),
        ("test_img_keys.tsv", b"391895\n7\n", r"line 2: image 'coco/7' has no captions in .*test_captions\.pt"),
        ("test_img_keys.tsv", b"391895\n\xff\n", r"line 2: byte 0xff is not UTF-8"),
    ],
)
def test_a_fault_in_oscars_files_is_named(oscar: Path, file: str, content: bytes | None, said: str) -> None:
    if content is None:
        (oscar / file).unlink()
    else:
        (oscar / file).write_bytes(content)
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        read_oscar_coco(oscar, split="test")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_a_file_that_is_cut_off_is_named(oscar: Path, kept: float) -> None:
    path = oscar / "test_captions.pt"
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ValueError, match=r"test_captions\.pt cannot be read"):
        read_oscar_coco(oscar, split="test")


@pytest.mark.parametrize(
    ("value", "said"),
    [("[", "image 'coco/391895': its captions are not JSON"), ("{}", "they must be a list"), ([], "must be a list")],
)
def test_captions_that_are_none_are_named(oscar: Path, value: object, said: str) -> None:
    torch.save(dict.fromkeys(TEST, value), oscar / "test_captions.pt")
    with pytest.raises(ValueError, match=said):
        read_oscar_coco(oscar, split="test")


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("touched"),))


def test_code_in_a_file_is_never_run(oscar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({TEST[0]: Harmful()}, oscar / "test_captions.pt")
    with pytest.raises(ValueError, match="Code in such a file is never run"):
        read_oscar_coco(oscar, split="test")
    assert not (tmp_path / "touched").exists()


def test_relevance_goes_by_the_image(karpathy_file: Path) -> None:
    captions = read_coco(karpathy_file, split="test")
    by_image = captions.relevance().items_by_query(Direction.IMAGE_TO_TEXT)
    assert by_image["coco/391902"] == {f"coco/391902#{number}" for number in range(5)}
