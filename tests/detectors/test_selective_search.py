"""Proposals: inside, few, repeatable, and on the things."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reranksmart.regions.detectors.selective_search import intersection_over_union, propose_boxes


def picture_of(boxes: list[tuple[int, int, int, int]], *, height: int = 300, width: int = 400) -> np.ndarray:
    """Patches of noise on plain grey, at boxes in pixels."""
    rng = np.random.default_rng(0)
    picture = np.full((height, width, 3), 170, dtype=np.uint8)
    for x1, y1, x2, y2 in boxes:
        coarse = rng.integers(0, 110, size=((y2 - y1) // 10 + 1, (x2 - x1) // 10 + 1, 3), dtype=np.uint8)
        picture[y1:y2, x1:x2] = coarse.repeat(10, axis=0).repeat(10, axis=1)[: y2 - y1, : x2 - x1]
    return picture


THINGS = [(30, 40, 130, 120), (240, 60, 330, 200), (60, 200, 160, 270)]


def test_things_on_a_plain_ground_are_found() -> None:
    found = propose_boxes(picture_of(THINGS))
    truth = np.array(THINGS) / [400, 300, 400, 300]
    assert (intersection_over_union(truth, found).max(axis=1) > 0.7).all()


def test_the_likeliest_boxes_come_first() -> None:
    picture = picture_of(THINGS)
    everything = propose_boxes(picture)
    assert 3 < len(everything) <= 12
    np.testing.assert_array_equal(propose_boxes(picture, at_most=3), everything[:3])


def test_the_same_picture_gives_the_same_boxes() -> None:
    picture = picture_of(THINGS)
    np.testing.assert_array_equal(propose_boxes(picture), propose_boxes(picture))


def test_nothing_is_found_where_nothing_is() -> None:
    assert propose_boxes(picture_of([])).shape == (0, 4)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 500), (700, 3), (1200, 1600)])
def test_boxes_of_pictures_of_any_size_lie_inside(height: int, width: int) -> None:
    noise = np.random.default_rng(1).integers(0, 256, size=(height, width, 3), dtype=np.uint8)
    found = propose_boxes(noise)
    assert len(found) <= 12
    assert ((found >= 0) & (found <= 1)).all()
    assert (found[:, :2] < found[:, 2:]).all()


boxes = st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 6), st.integers(1, 6)).map(
    lambda place: (place[0], place[1], place[0] + place[2], place[1] + place[3])
)


@given(st.lists(boxes, min_size=1, max_size=4), st.lists(boxes, min_size=1, max_size=4))
def test_overlap_counts_pixels(some: list[tuple[int, ...]], others: list[tuple[int, ...]]) -> None:
    def pixels(box: tuple[int, ...]) -> set[tuple[int, int]]:
        return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}

    expected = [[len(pixels(a) & pixels(b)) / len(pixels(a) | pixels(b)) for b in others] for a in some]
    np.testing.assert_allclose(intersection_over_union(np.array(some), np.array(others)), expected)
