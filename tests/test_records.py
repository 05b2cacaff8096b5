import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reranksmart.values.records import Captions, Direction, Embeddings, Ranking, Relevance

CAPTIONS = Captions(("c0", "c1", "c2"), ("a dog", "a cat", "ein Hund"), ("i0", "i1", "i0"), ("en", "en", "de"))

rankings = st.integers(1, 12).flatmap(
    lambda depth: hnp.arrays(np.float32, (3, depth), elements=st.floats(-5, 5, width=32)).map(
        lambda scores: Ranking(
            ("q0", "q1", "q2"),
            tuple(f"g{item}" for item in range(depth)),
            np.tile(np.arange(depth, dtype=np.int32), (3, 1)),
            scores,
        )
    )
)


def test_pairs_are_ordered_caption_then_image():
    assert Direction.TEXT_TO_IMAGE.pair("caption", "image") == ("caption", "image")
    assert Direction.IMAGE_TO_TEXT.pair("image", "caption") == ("caption", "image")


def test_relevance_follows_the_direction():
    relevance = CAPTIONS.relevance()
    assert relevance.items_by_query(Direction.TEXT_TO_IMAGE)["c2"] == {"i0"}
    assert relevance.items_by_query(Direction.IMAGE_TO_TEXT)["i0"] == {"c0", "c2"}


def test_two_captions_with_one_id_are_refused():
    with pytest.raises(ValueError, match="'c0' occurs 2 times"):
        Captions(("c0", "c0"), ("a", "b"), ("i", "i"), ("en", "en"))


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_caption_is_refused(text):
    with pytest.raises(ValueError, match="'c0' is empty"):
        Captions(("c0",), (text,), ("i",), ("en",))


def test_a_language_without_captions_is_an_error():
    with pytest.raises(ValueError, match=r"no caption in \['fr'\]"):
        CAPTIONS.in_languages(["fr"])


def test_first_captions_are_counted_by_image_and_language():
    assert CAPTIONS.first_of_each_image(1).ids == ("c0", "c1", "c2")
    assert CAPTIONS.in_languages(["en"]).first_of_each_image(1).ids == ("c0", "c1")


def test_unequal_relevance_columns_are_refused():
    with pytest.raises(ValueError, match="2 caption ids but 1 image ids"):
        Relevance(("a", "b"), ("i",))


def test_embeddings_that_are_no_unit_vectors_are_refused():
    with pytest.raises(ValueError, match="'b' has length 2"):
        Embeddings(("a", "b"), np.array([[1, 0], [0, 2]], dtype=np.float32))


def test_scores_that_are_nan_are_refused():
    with pytest.raises(ValueError, match="'q' hold NaN"):
        Ranking(("q",), ("g",), np.zeros((1, 1), np.int32), np.full((1, 1), np.nan, np.float32))


@given(st.permutations(range(7)), hnp.arrays(np.float32, (7,), elements=st.sampled_from([0, -0.0, 1, 2])))
def test_equal_scores_stand_in_one_order_whatever_that_of_the_gallery(order, scores):
    items = np.arange(7, dtype=np.int32)[None]
    names = tuple(f"g{item}" for item in items[0])
    moved = Ranking(("q",), tuple(names[item] for item in order), items, scores[order][None])
    assert moved.item_ids(0) == Ranking(("q",), names, items, scores[None]).item_ids(0)


def test_equal_scores_favour_no_place_of_the_gallery():
    queries = tuple(f"q{number}" for number in range(2000))
    tied = Ranking(queries, tuple("abcd"), np.tile(np.arange(4, dtype=np.int32), (2000, 1)), np.zeros((2000, 4), "f4"))
    for place in range(4):
        assert np.bincount(tied.items[:, place], minlength=4) == pytest.approx(500, abs=80)  # 4 deviations
    again = tied.top(4).rescored(np.ones((2000, 4), np.float32))
    assert (again.items == tied.items).all()


@given(rankings)
def test_a_ranking_is_sorted_and_loses_nothing(ranking):
    assert (np.diff(ranking.scores, axis=1) <= 0).all()
    assert (np.sort(ranking.items, axis=1) == np.arange(ranking.depth)).all()


@given(rankings, st.data())
def test_rescoring_moves_only_the_head(ranking, data):
    k = data.draw(st.integers(1, ranking.depth))
    new = data.draw(hnp.arrays(np.float32, (3, k), elements=st.floats(-100, 100, width=32)))
    after = ranking.rescored(new)
    assert (np.sort(after.items[:, :k], axis=1) == np.sort(ranking.items[:, :k], axis=1)).all()
    assert (after.items[:, k:] == ranking.items[:, k:]).all()
    assert (after.scores[:, :k] == -np.sort(-new, axis=1)).all()
    own = {(row, item): new[row, place] for row in range(3) for place, item in enumerate(ranking.items[row, :k])}
    assert all(after.scores[row, place] == own[row, after.items[row, place]] for row in range(3) for place in range(k))


@pytest.mark.parametrize("depth", [0, 4])
def test_a_depth_outside_the_ranking_is_refused(depth):
    ranking = Ranking(("q",), ("a", "b", "c"), np.array([[0, 1, 2]], np.int32), np.array([[3, 2, 1]], np.float32))
    with pytest.raises(ValueError, match=rf"depth {depth} is outside 1\.\.3"):
        ranking.top(depth)
