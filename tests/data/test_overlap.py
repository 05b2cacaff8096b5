"""Shared images are counted to the image, and leaks are refused by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reranksmart.datasets.prepared.overlap import find_leaks, overlap, overlaps

ids = st.lists(st.integers(0, 30).map(lambda number: f"flickr30k/{number}"))


@given(ids, ids)
def test_shared_images_are_those_in_both_lists(first: list[str], second: list[str]) -> None:
    found = overlap("one", first, "two", second)
    assert found.shared == tuple(sorted({image for image in first if image in second}))
    assert (found.first_size, found.second_size) == (len(set(first)), len(set(second)))
    assert overlap("two", second, "one", first).shared == found.shared


def test_every_two_lists_are_compared_once() -> None:
    images = {"train": ["coco/1", "coco/1", "coco/2"], "dev": ["coco/2"], "test": ["flickr30k/1"]}
    assert [(one.first, one.second, len(one.shared)) for one in overlaps(images)] == [
        ("train", "dev", 1),
        ("train", "test", 0),
        ("dev", "test", 0),
    ]


def test_an_overlap_says_how_many_of_how_many_and_shows_some() -> None:
    shared = [f"flickr30k/{number}" for number in range(1000, 2500)]
    assert str(overlap("karpathy test", shared, "entities train", [*shared, "flickr30k/1"])) == (
        "karpathy test and entities train share 1,500 of 1,500 and 1,501 images "
        "(flickr30k/1000, flickr30k/1001, flickr30k/1002, ...)"
    )
    assert str(overlap("a", ["coco/1"], "b", ["coco/1"])) == "a and b share 1 of 1 and 1 images (coco/1)"
    assert str(overlap("a", ["coco/1"], "b", [])) == "a and b share 0 of 1 and 0 images"


TRAINED = {"flickr30k entities train": ["flickr30k/1", "flickr30k/2"], "coco train": ["coco/1"]}
TESTED = {"flickr30k karpathy test": ["flickr30k/2", "flickr30k/3"], "coco test": ["coco/7"]}
LEAK = ("flickr30k entities train", "flickr30k karpathy test")


def test_a_test_on_trained_images_is_refused_with_names_and_numbers() -> None:
    with pytest.raises(ValueError, match=r"trained on:\n  flickr30k entities train and .* share 1 of 2 and 2") as error:
        find_leaks(TRAINED, TESTED)
    assert "flickr30k/2" in str(error.value)
    assert "coco" not in str(error.value)


def test_an_allowed_leak_is_returned_to_be_marked() -> None:
    found = find_leaks(TRAINED, TESTED, allowed=[LEAK])
    assert [(leak.first, leak.second, leak.shared) for leak in found] == [(*LEAK, ("flickr30k/2",))]


def test_allowing_one_leak_allows_no_other() -> None:
    with pytest.raises(ValueError, match="coco train and coco test share 1 of 1"):
        find_leaks(TRAINED, {**TESTED, "coco test": ["coco/1"]}, allowed=[LEAK])


def test_disjoint_splits_leak_nothing() -> None:
    assert find_leaks({"train": ["coco/1"]}, {"test": ["coco/2", "flickr30k/1"]}) == []


def test_an_allowed_leak_between_no_splits_is_a_fault() -> None:
    with pytest.raises(ValueError, match=r"the allowed overlap \('x', 'coco test'\) is between no two splits"):
        find_leaks(TRAINED, TESTED, allowed=[("x", "coco test")])
