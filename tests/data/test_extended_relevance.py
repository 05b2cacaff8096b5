"""ECCV Caption and CxC on fabricated files with COCO's real numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from judged_coco import judged_images, judges, write_karpathy

from reranksmart.datasets.coco import read_coco, read_coco_numbers
from reranksmart.datasets.published.extended_relevance import extended_relevance, judged_items, most_items
from reranksmart.values.records import Direction

T2I, I2T = Direction.TEXT_TO_IMAGE, Direction.IMAGE_TO_TEXT


@pytest.mark.parametrize(("collection", "theirs"), [("eccv_caption", "eccv_gts"), ("cxc", "cxc_gts")])
def test_the_whole_split_has_exactly_the_packages_judgements(tmp_path: Path, collection: str, theirs: str) -> None:
    path = write_karpathy(tmp_path / "dataset_coco.json", judged_images())
    numbers = read_coco_numbers(path, split="test")
    images = set(read_coco(path, split="test").image_ids)
    found = extended_relevance(collection, image_ids=images, caption_numbers=numbers)

    def caption(id_: str) -> int:
        return numbers[id_] if id_ in numbers else int(id_.removeprefix("coco caption "))

    def image(id_: str) -> int:
        return int(id_.removeprefix("coco/"))

    for direction, name in ((I2T, "i2t"), (T2I, "t2i")):
        of_query, of_item = (image, caption) if direction is I2T else (caption, image)
        items = {
            of_query(query): {of_item(item) for item in items}
            for query, items in found[direction].items_by_query(direction).items()
        }
        assert items == {query: set(items) for query, items in getattr(judges(), theirs)[name].items()}


def test_in_a_part_of_the_split_captions_and_images_outside_it_are_left_out(tmp_path: Path) -> None:
    chosen = judged_images()[:400]
    path = write_karpathy(tmp_path / "dataset_coco.json", chosen)
    numbers = read_coco_numbers(path, split="test")
    found = extended_relevance("cxc", image_ids=[f"coco/{n}" for n in chosen], caption_numbers=numbers)[I2T]
    own = {caption for image in chosen for caption in judged_items("original", I2T)[image]}
    expected = {
        (f"coco/{image}", caption) for image in chosen for caption in judged_items("cxc", I2T)[image] if caption in own
    }
    assert {
        (image, numbers[caption]) for image, caption in zip(found.image_ids, found.caption_ids, strict=True)
    } == expected
    assert len(expected) < sum(len(judged_items("cxc", I2T)[image]) for image in chosen)


def test_the_most_items_that_are_relevant_to_one_query_are_known() -> None:
    assert most_items("eccv_caption") == 48
    assert most_items("cxc") == 19


def test_an_image_that_nobody_judged_is_refused(tmp_path: Path) -> None:
    numbers = read_coco_numbers(write_karpathy(tmp_path / "coco.json", judged_images()[:2]), split="test")
    images = [f"coco/{number}" for number in judged_images()[:2]]
    with pytest.raises(
        ValueError, match=r"1 of 3 images are not among the 5,000 .* first is 'coco/9'.*Leave extended_rel"
    ):
        extended_relevance("cxc", image_ids=[*images, "coco/9"], caption_numbers=numbers)
    with pytest.raises(ValueError, match="first is 'flickr30k/36979'"):
        extended_relevance("cxc", image_ids=["flickr30k/36979"], caption_numbers=numbers)


def test_captions_numbered_otherwise_are_refused(tmp_path: Path) -> None:
    image, *_ = judged_images()
    numbers = {f"coco/{image}#{place}": place for place in range(5)}
    with pytest.raises(
        ValueError, match=rf"image 'coco/{image}' has no caption with COCO's number \d+.*Karpathy's dataset"
    ):
        extended_relevance("eccv_caption", image_ids=[f"coco/{image}"], caption_numbers=numbers)
