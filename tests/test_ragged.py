"""Things of unequal length, against lists of lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reranksmart.values.ragged import Ragged, offsets_of


@dataclass(frozen=True)
class Words(Ragged):
    """Numbers and their negatives by row, a name by thing."""

    numbers: NDArray[np.int64]
    negatives: NDArray[np.int64]
    names: tuple[str, ...]
    language: str = "en"

    per_row: ClassVar[tuple[str, ...]] = ("numbers", "negatives")
    per_thing: ClassVar[tuple[str, ...]] = ("names",)

    @staticmethod
    def of(lists: list[list[int]], language: str = "en") -> Words:
        flat = np.array([number for one in lists for number in one], dtype=np.int64)
        return Words(offsets_of([len(one) for one in lists]), flat, -flat, tuple(map(str, range(len(lists)))), language)

    @property
    def lists(self) -> list[list[int]]:
        assert (self.numbers == -self.negatives).all()
        return [self.numbers[self.span(thing)].tolist() for thing in range(len(self))]


LISTS = st.lists(st.lists(st.integers(0, 99), max_size=5), min_size=1, max_size=6)


@given(lists=LISTS, data=st.data())
def test_taken_things_are_the_lists_at_these_places(lists, data):
    places = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=8))
    found = Words.of(lists).take(iter(places))
    assert found.lists == [lists[place] for place in places]
    assert found.names == tuple(str(place) for place in places)


@given(lists=LISTS, count=st.integers(0, 9))
def test_the_first_things_share_their_memory(lists, count):
    whole = Words.of(lists)
    found = whole.first(count)
    assert found.lists == lists[:count]
    assert found.numbers.base is whole.numbers or found.numbers.size == whole.numbers.size


@given(parts=st.lists(LISTS, min_size=1, max_size=3))
def test_things_of_several_stand_one_after_the_other(parts):
    first, *others = (Words.of(part, language) for part, language in zip(parts, "abc", strict=False))
    found = first.followed_by(others)
    assert found.lists == [one for part in parts for one in part]
    assert found.language == "a"


@given(lists=LISTS, longest=st.integers(1, 4))
def test_columns_are_the_first_rows_of_each_thing(lists, longest):
    whole = Words.of([[*one, 7] for one in lists])
    columns, mask = whole.columns(range(len(whole)), longest=longest)
    for row, one in enumerate(lists):
        assert whole.numbers[columns[row][mask[row]]].tolist() == [*one, 7][:longest]


@pytest.mark.parametrize("offsets", [[0, 1], [1, 2], [0, 2, 1, 2], []])
def test_offsets_that_do_not_cover_the_rows_are_refused(offsets):
    with pytest.raises(ValueError, match="offsets must rise from 0 to the number of rows, 2"):
        Words(np.array(offsets, dtype=np.int64), np.zeros(2), np.zeros(2), ())


def test_columns_and_names_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match="numbers and negatives differ in length"):
        Words(np.array([0, 2]), np.zeros(2), np.zeros(3), ("a",))
    with pytest.raises(ValueError, match="1 things have 2 names"):
        Words(np.array([0, 2]), np.zeros(2), np.zeros(2), ("a", "b"))
