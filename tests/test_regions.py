import numpy as np
import pytest

from reranksmart.files.region_store import Regions, RegionStore
from reranksmart.inputs.stored import RegionInputs


def regions(count: int, *, seed: int = 0) -> Regions:
    rng = np.random.default_rng(seed + count)
    corners = np.sort(rng.random((count, 2, 2)), axis=1).reshape(count, 4).astype(np.float32)
    features = rng.standard_normal((count, 6)).astype(np.float16)
    return Regions(features, corners, np.arange(count, dtype=np.int32), np.ones(count, np.float32))


STORE = RegionStore.from_regions(("a", "b", "c"), [regions(2), regions(5), regions(1)], ("thing",))


def test_an_image_owns_its_slice():
    assert (STORE[1].features == regions(5).features).all()
    assert STORE.lengths.tolist() == [2, 5, 1]


def test_a_store_is_memory_mapped_and_equal_after_the_disk(tmp_path):
    STORE.save(tmp_path / "store")
    found = RegionStore.open(tmp_path / "store")
    assert isinstance(found.features, np.memmap)
    assert found.image_ids == STORE.image_ids
    assert all((mine.boxes == theirs.boxes).all() for mine, theirs in zip(found, STORE, strict=True))


def test_concatenation_keeps_every_image():
    other = RegionStore.from_regions(("d",), [regions(3)], ("thing",))
    both = RegionStore.concatenated([STORE, other])
    assert both.image_ids == ("a", "b", "c", "d")
    assert (both[3].features == other[0].features).all()
    assert (both[1].boxes == STORE[1].boxes).all()


def test_taken_images_keep_their_regions():
    taken = STORE.take([2, 0])
    assert taken.image_ids == ("c", "a")
    assert (taken[1].features == STORE[0].features).all()


def test_published_tags_go_where_their_image_goes(tmp_path):
    tagged = RegionStore.from_regions(("a", "b", "c"), [regions(n) for n in (2, 5, 1)], (), ("dog", "tree car", "boat"))
    tagged.save(tmp_path / "store")
    assert RegionStore.open(tmp_path / "store").object_tags() == ["dog", "tree car", "boat"]
    assert tagged.take([2, 0]).object_tags() == ["boat", "dog"]
    named = RegionStore.from_regions(("d",), [regions(3)], ("sky", "sea", "sun"))
    assert RegionStore.concatenated([tagged, named]).object_tags() == ["dog", "tree car", "boat", "sky sea sun"]
    nameless = RegionStore.from_regions(("e",), [regions(1)], ())
    with pytest.raises(ValueError, match="these regions name no objects; give"):
        RegionStore.concatenated([tagged, nameless]).object_tags()
    with pytest.raises(ValueError, match="3 things have 2 tags"):
        RegionStore.from_regions(tagged.image_ids, list(tagged), (), ("dog", "boat"))


def test_a_batch_is_padded_and_masked():
    batch = RegionInputs(STORE, max_regions=4).batch([0, 1])
    assert batch.mask.tolist() == [[True, True, False, False], [True] * 4]
    assert (batch.features[1].numpy() == STORE[1].features[:4].astype(np.float32)).all()
    assert not batch.features[0, 2:].any()


def test_a_store_gives_each_of_its_images_in_turn():
    """The published code's dictionary of images is empty where one goes through it."""
    assert [len(found.boxes) for found in STORE] == [2, 5, 1]
    assert list(STORE.row_by_id) == ["a", "b", "c"]


def test_a_missing_image_names_the_remedy():
    with pytest.raises(KeyError, match="'x' has no regions here"):
        STORE.rows_of(["a", "x"])


def test_a_box_outside_the_image_is_refused():
    bad = regions(1)
    with pytest.raises(ValueError, match=r"'a' has a box outside \[0, 1\]"):
        RegionStore.from_regions(("a",), [Regions(bad.features, bad.boxes + 1, bad.labels, bad.confidences)], ())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused(value):
    bad = regions(1)
    with pytest.raises(ValueError, match="not finite"):
        RegionStore.from_regions(
            ("a",), [Regions(np.full_like(bad.features, value), bad.boxes, bad.labels, bad.confidences)], ()
        )


def test_an_image_without_regions_is_refused():
    empty = Regions(
        np.empty((0, 6), np.float16), np.empty((0, 4), np.float32), np.empty(0, np.int32), np.empty(0, "f4")
    )
    with pytest.raises(ValueError, match="'a' has no region"):
        RegionStore.from_regions(("a",), [empty], ())
