"""Every published format gives the same regions, and a fault is an error that says where."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from reranksmart.regions.formats.images import UNKNOWN_LABEL
from reranksmart.regions.formats.writer import images_alone

from .published import CLASSES, FORMATS, PICTURES, WITHOUT_CLASSES, WITHOUT_CONFIDENCES

EACH_REGION = ("features", "boxes", "labels", "confidences")
every_format = pytest.mark.parametrize("name", FORMATS)


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@every_format
def test_count_first_tenth_and_last_image_are_read(name, source, convert):
    store = convert(FORMATS[name](source, PICTURES), label_names=CLASSES)
    assert isinstance(store.features, np.memmap)
    assert len(store) == 12
    for row, image_id in ((0, "d/1000092795"), (9, "d/1000092912"), (11, "d/1000092938")):
        published = PICTURES[row]
        assert store.image_ids[row] == image_id
        assert (store[row].features == published.features.astype(np.float16)).all()
        size = np.float32([published.width, published.height] * 2)
        assert (store[row].boxes == published.boxes / size).all()


@every_format
def test_classes_are_kept_where_the_format_has_them(name, source, convert):
    store = convert(FORMATS[name](source, PICTURES), label_names=CLASSES)
    for found, published in zip(store, PICTURES, strict=True):
        known = name not in WITHOUT_CLASSES
        assert (found.labels == (published.labels if known else UNKNOWN_LABEL)).all()
        if name in WITHOUT_CONFIDENCES:
            assert np.isnan(found.confidences).all()
        else:
            assert (found.confidences == published.confidences).all()


@every_format
def test_an_image_without_regions_is_the_one_region_of_itself(name, source, convert):
    bare = replace(PICTURES[4], **{key: getattr(PICTURES[4], key)[:0] for key in EACH_REGION})
    store = convert(FORMATS[name](source, [*PICTURES[:4], bare, *PICTURES[5:]]), label_names=CLASSES)
    assert images_alone(store) == ["d/1000092847"]
    found = store[4]
    assert (found.boxes.tolist(), found.labels.tolist()) == ([[0, 0, 1, 1]], [UNKNOWN_LABEL])
    assert not found.features.any()
    assert np.isnan(found.confidences).all()
    if name not in WITHOUT_CLASSES:  # nothing is seen there, and the others are named all the same
        assert store.object_tags()[3:6] == ["dog tree tennis racket dog", "", "dog tree"]


@every_format
def test_features_are_kept_as_published_where_float32_is_asked(name, source, convert):
    store = convert(FORMATS[name](source, PICTURES), feature_type="float32")
    assert store.features.dtype == np.float32
    np.testing.assert_array_equal(store.features, np.concatenate([picture.features for picture in PICTURES]))


def test_all_formats_give_the_same_features_and_boxes(tmp_path, convert):
    stores = {}
    for name, publish in FORMATS.items():
        (tmp_path / name).mkdir()
        stores[name] = convert(publish(tmp_path / name, PICTURES), label_names=CLASSES)
    first = stores.pop("bottom-up")
    for store in stores.values():
        assert store.image_ids == first.image_ids
        assert (store.offsets == first.offsets).all()
        assert (store.features == first.features).all()
        assert (store.boxes == first.boxes).all()


@every_format
def test_only_wanted_images_are_read_and_decoded(name, source, convert):
    """The published code's selection of images fails for every format."""
    broken = replace(PICTURES[3], features=np.full_like(PICTURES[3].features, np.nan))
    images = FORMATS[name](source, [*PICTURES[:3], broken, *PICTURES[4:]])
    store = convert(images, wanted=["d/1000092808", "d/1000092912"])
    assert store.image_ids == ("d/1000092808", "d/1000092912")
    assert (store[1].features == PICTURES[9].features.astype(np.float16)).all()


@every_format
def test_a_missing_image_is_named(name, source, convert):
    with pytest.raises(ValueError, match=r"1 wanted images are missing from the 12 in .*source, as \['d/7'\]"):
        convert(FORMATS[name](source, PICTURES), wanted=["d/1000092808", "d/7"])


@every_format
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"boxes": np.float32([[10, 10, 645, 20]])}, r"box 0 is .* in an image of .*; a box may leave its image by"),
        ({"boxes": np.float32([[-4, 10, 20, 20]])}, "box 0 is .* a box may leave its image by"),
        ({"boxes": np.float32([[10, np.nan, 20, 20]])}, "box 0 is .* a box may leave its image by"),
        ({"boxes": np.float32([[300, 10, 20, 20]])}, "ends before it begins; boxes are x1 y1 x2 y2"),
        ({"features": np.full((1, 8), np.nan, np.float32)}, "feature 0 has a value that is not finite in float16"),
        ({"features": np.full((1, 8), 1e5, np.float32)}, "feature 0 has a value that is not finite in float16"),
        ({"features": np.ones((1, 7), np.float32)}, r"they must be floats of shape \(regions, 8\)"),
    ],
)
def test_a_fault_names_file_row_and_image(name, fault, message, source, convert):
    broken = replace(PICTURES[4], **fault)
    assert len(broken.features) == 1
    with pytest.raises(ValueError, match=message) as error:
        convert(FORMATS[name](source, [*PICTURES[:4], broken, *PICTURES[5:]]))
    assert str(source) in str(error.value)
    assert "image '1000092847'" in str(error.value)
    row = {"bottom-up": "row 5", "oscar": "entry 5", "volta": "group 5", "npz": "1000092847.npz"}.get(name, "")
    assert row in str(error.value)


@every_format
def test_an_image_that_occurs_twice_is_refused(name, tmp_path, convert):
    parts = []
    for part in ("a", "b"):
        (tmp_path / part).mkdir()
        parts.append(FORMATS[name](tmp_path / part, PICTURES[:2]))
    with pytest.raises(ValueError, match=r"'d/1000092795' occurs a second time, first in .*a[/,]"):
        convert(itertools.chain(*parts))


@every_format
def test_boxes_within_a_pixel_of_the_image_are_clipped(name, source, convert):
    image = replace(PICTURES[4], boxes=np.float32([[-0.75, -0.5, 636.9, 484.75]]))
    found = convert(FORMATS[name](source, [image]))[0].boxes
    assert found.tolist() == [[0, 0, 1, 1]]


def test_a_pixel_is_too_much_for_a_small_image(source, convert):
    image = replace(PICTURES[4], width=40, height=40, boxes=np.float32([[0, 0, 40.5, 40]]))
    with pytest.raises(ValueError, match=r"leave its image by 0\.2 at most"):
        convert(FORMATS["bottom-up"](source, [image]))


@every_format
def test_a_label_without_a_name_is_refused(name, source, convert):
    if name in WITHOUT_CLASSES:
        assert len(convert(FORMATS[name](source, PICTURES), label_names=("dog",))) == 12
        return
    with pytest.raises(ValueError, match="has label 1, but there are 1 label names"):
        convert(FORMATS[name](source, PICTURES), label_names=("dog",))
