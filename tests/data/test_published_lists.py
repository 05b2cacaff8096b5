"""The published lists and captions of Multi30k and Flickr30k Entities themselves, where a user has them.

They may not be passed on, so that they are not in this repository: RERANKSMART_PUBLISHED names a folder that holds
``multi30k`` (the repository's data: task1, task2) and ``flickr30k_entities`` (train.txt, val.txt, test.txt).
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from reranksmart.datasets.flickr30k import read_entities_list
from reranksmart.datasets.multi30k import read_multi30k, read_multi30k_list
from reranksmart.datasets.prepared.overlap import overlap, overlaps
from reranksmart.values.records import Captions, Direction

FOLDER = Path(os.environ.get("RERANKSMART_PUBLISHED", "nowhere"))
pytestmark = pytest.mark.skipif(
    "RERANKSMART_PUBLISHED" not in os.environ, reason="RERANKSMART_PUBLISHED names no folder of the published lists"
)
IMAGES = {"train": 29_000, "dev": 1_014, "test_2016": 1_000}
# The first, tenth and last image of each split; the texts of each file by task, split and language.
SENTINELS = {
    "train": ["flickr30k/1000092795", "flickr30k/1001545525", "flickr30k/998845445"],
    "dev": ["flickr30k/1018148011", "flickr30k/1092437557", "flickr30k/991459823"],
    "test_2016": ["flickr30k/1007129816", "flickr30k/1071201387", "flickr30k/97234558"],
}
DIGESTS = {
    (1, "train", "en"): "1b9c6fae1605",
    (1, "train", "de"): "fbc65c96f0aa",
    (1, "train", "fr"): "74d897920178",
    (1, "train", "cs"): "7c67e5bacd16",
    (1, "dev", "en"): "eecab95d3e8e",
    (1, "dev", "de"): "1aad18941ede",
    (1, "dev", "fr"): "390c59f28ceb",
    (1, "dev", "cs"): "00b82b803ed7",
    (1, "test_2016", "en"): "a1efdee92d83",
    (1, "test_2016", "de"): "bb3e48712d8d",
    (1, "test_2016", "fr"): "70844453052c",
    (1, "test_2016", "cs"): "104be5db2f26",
    (2, "train", "en"): "457ea64104b3",
    (2, "train", "de"): "9316aa813ebf",
    (2, "dev", "en"): "25d11dbd07b6",
    (2, "dev", "de"): "6b2f643a24f6",
    (2, "test_2016", "en"): "e9a9d1004387",
    (2, "test_2016", "de"): "7cd43b815a8c",
}


def digest(captions: Captions) -> str:
    """The first digits of the SHA-256 of all texts, a line each."""
    return hashlib.sha256("\n".join(captions.texts).encode()).hexdigest()[:12]


@pytest.mark.parametrize("split", IMAGES)
@pytest.mark.parametrize(("task", "languages", "each"), [(1, ("en", "de", "fr", "cs"), 1), (2, ("en", "de"), 5)])
def test_every_caption_of_multi30k_is_read(task: int, languages: tuple[str, ...], each: int, split: str) -> None:
    for language in languages:
        captions = read_multi30k(FOLDER / "multi30k", task=task, split=split, languages=[language])
        images = list(dict.fromkeys(captions.image_ids))
        assert len(images) == IMAGES[split]
        assert len(captions) == each * IMAGES[split]
        assert images == read_multi30k_list(FOLDER / "multi30k", task=task, split=split)
        assert {len(own) for own in captions.relevance().items_by_query(Direction.IMAGE_TO_TEXT).values()} == {each}
        assert digest(captions) == DIGESTS[task, split, language]
        assert [images[place] for place in (0, 9, -1)] == SENTINELS[split]


@pytest.mark.parametrize(("split", "images"), [("test_2017", 1_000), ("test_2017_mscoco", 461), ("test_2018", 1_071)])
def test_the_later_tests_of_multi30k_are_read(split: str, images: int) -> None:
    for language in ("en", "de", "fr"):
        captions = read_multi30k(FOLDER / "multi30k", task=1, split=split, languages=[language])
        assert len(captions) == images


def test_entities_divides_as_published() -> None:
    lists = {
        split: read_entities_list(FOLDER / "flickr30k_entities", split=split) for split in ("train", "dev", "test")
    }
    assert {split: len(set(images)) for split, images in lists.items()} == {
        "train": 29_783,
        "dev": 1_000,
        "test": 1_000,
    }
    assert not any(found.shared for found in overlaps(lists))


def test_the_two_divisions_of_flickr30k_share_images_across_their_splits() -> None:
    """Multi30k's test images of 2016 are those of Karpathy's test split, its training images all others of his."""
    entities = {
        split: read_entities_list(FOLDER / "flickr30k_entities", split=split) for split in ("train", "dev", "test")
    }
    test, train = (read_multi30k_list(FOLDER / "multi30k", task=2, split=split) for split in ("test_2016", "train"))
    shared = {split: len(overlap("test_2016", test, split, images).shared) for split, images in entities.items()}
    assert shared == {"test": 25, "train": 944, "dev": 31}
    assert sum(shared.values()) == 1_000
    assert len(overlap("train", train, "entities test", entities["test"]).shared) == 903
    both = read_multi30k_list(FOLDER / "multi30k", task=1, split="test_2016")
    assert set(both) == set(test)
