"""Relevance beyond "this caption was written for this image": ECCV Caption and CxC, judged on COCO's 5k test images.

Both come with the package ``eccv_caption`` and go by COCO's own numbers of images and captions. The two directions were
judged apart: each has its own queries, and their pairs differ (Chun et al. 2022; Parekh et al. 2021).
"""

import json
from collections.abc import Collection, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from reranksmart.values.records import Direction, Relevance

_FILES = {"eccv_caption": "eccv", "cxc": "cxc"}
_DIRECTIONS = {Direction.TEXT_TO_IMAGE: "caption_to_image", Direction.IMAGE_TO_TEXT: "image_to_caption"}


@cache
def judged_items(collection: str, direction: Direction) -> Mapping[int, tuple[int, ...]]:
    """COCO's numbers of the items relevant to each query's number; ``collection`` is eccv_caption, cxc or original.

    ``original`` are the five captions of each of the 5,000 test images.
    """
    name = f"{_FILES.get(collection, collection)}_{_DIRECTIONS[direction]}.json"
    content = json.loads((_package_data() / name).read_text(encoding="utf-8"))
    return {int(query): tuple(map(int, items)) for query, items in content.items()}


def most_items(collection: str) -> int:
    """The largest number of items relevant to one query: so many must be ranked for R-Precision and mAP@R."""
    return max(len(items) for direction in Direction for items in judged_items(collection, direction).values())


def extended_relevance(
    collection: str, *, image_ids: Collection[str], caption_numbers: Mapping[str, int]
) -> dict[Direction, Relevance]:
    """What the collection holds relevant, of each direction, in a gallery of these images.

    ``caption_numbers`` are COCO's numbers of their captions' ids. In a gallery of only some of the 5,000 images the
    captions and images of the others are left out. Raises ValueError where an image is none of the 5,000, or its
    captions have other numbers than COCO's.
    """
    own = judged_items("original", Direction.IMAGE_TO_TEXT)
    number_of = {id_: int(id_.removeprefix("coco/")) if _is_coco(id_) else -1 for id_ in image_ids}
    foreign = [id_ for id_, number in number_of.items() if number not in own]
    if foreign:
        raise ValueError(
            f"{len(foreign):,} of {len(number_of):,} images are not among the {len(own):,} that {collection} judges, the "
            f"first is {foreign[0]!r}; it judges COCO's Karpathy test split. Leave extended_relevance out of this test set."
        )
    id_of_caption = {number: id_ for id_, number in caption_numbers.items()}
    for id_, number in number_of.items():
        if unknown := [caption for caption in own[number] if caption not in id_of_caption]:
            raise ValueError(
                f"image {id_!r} has no caption with COCO's number {unknown[0]}, which {collection} judges; the numbers are "
                "the sentid of Karpathy's dataset_coco.json. Give that file as the dataset's annotations."
            )
    present = set(number_of.values())
    absent = {caption for number, captions in own.items() if number not in present for caption in captions}
    found = {}
    for direction in Direction:
        pairs = [
            direction.pair(query, item)
            for query, items in judged_items(collection, direction).items()
            for item in items
        ]  # (caption, image) by COCO's numbers
        kept = [(caption, image) for caption, image in pairs if image in present and caption not in absent]
        found[direction] = Relevance(
            tuple(id_of_caption.get(caption, f"coco caption {caption}") for caption, _ in kept),
            tuple(f"coco/{image}" for _, image in kept),
        )
    return found


def _is_coco(image_id: str) -> bool:
    return image_id.startswith("coco/") and image_id.removeprefix("coco/").isdecimal()


def _package_data() -> Path:
    """The package's folder of data; it is not imported, for it warns of optional parts that are not needed here."""
    spec = find_spec("eccv_caption")
    if spec is None or not spec.submodule_search_locations:
        raise ValueError("the package eccv-caption is not installed; run `make setup`, or pip install eccv-caption.")
    return Path(next(iter(spec.submodule_search_locations))) / "data"
