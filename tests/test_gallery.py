import pytest

from reranksmart.values.gallery import Gallery


@pytest.mark.parametrize(
    ("name", "places", "splits", "each"),
    [
        ("scenes.test", [("scenes", "test")], ("test",), None),
        ("scenes.test+more.1", [("scenes", "test"), ("scenes", "more")], ("test", "more"), 1),
        (
            "flickr30k.test+coco.test+cc.dev.5",
            [("flickr30k", "test"), ("coco", "test"), ("cc", "dev")],
            ("test", "coco.test", "cc.dev"),
            5,
        ),
        ("flickr30k.test+coco.fold_1", [("flickr30k", "test"), ("coco", "fold_1")], ("test", "coco.fold_1"), None),
    ],
)
def test_a_gallerys_name_says_what_stands_in_it(name, places, splits, each):
    gallery = Gallery.parse(name)
    assert list(gallery.places) == places
    assert gallery.dataset == places[0][0]
    assert gallery.splits == splits
    assert gallery.captions_per_image == each
    assert str(gallery) == name


@pytest.mark.parametrize("name", ["scenes", "", "scenes+test.1"])
def test_what_is_no_gallery_is_refused(name):
    with pytest.raises(ValueError, match="names no gallery"):
        Gallery.parse(name)


def test_a_split_of_the_dataset_itself_needs_no_prefix():
    assert str(Gallery.of("coco", ("test", "coco.dev"))) == "coco.test+dev"
