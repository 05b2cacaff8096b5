"""Flickr30k's two splits, generated small in the published layouts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reranksmart.datasets.flickr30k import read_entities_list, read_flickr30k, read_flickr30k_entities, strip_markup
from reranksmart.datasets.published.captions import first_images
from reranksmart.values.records import Captions

TRAIN = [1000092795 + 13 * place for place in range(300)][::-1]
DEV, TEST = TRAIN[:20], [36979, 65567]
MARKED = "[/EN#1/people A man in {}] holds [/EN#2/other/instruments a guitar] [/EN#0/notvisual while] he sings ."
PLAIN = "A man in {} holds a guitar while he sings ."


def record(captions: Captions, row: int) -> tuple[str, str, str, str]:
    return captions.ids[row], captions.texts[row], captions.image_ids[row], captions.languages[row]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_entities(tmp_path_factory.mktemp("entities"), train=TRAIN[20:])


@pytest.fixture
def entities(tmp_path: Path) -> Path:
    return write_entities(tmp_path, train=TRAIN[20:22])


def write_entities(folder: Path, *, train: list[int]) -> Path:
    (folder / "Sentences").mkdir()
    for split, images in (("train", train), ("val", DEV), ("test", TEST)):
        (folder / f"{split}.txt").write_text("".join(f"{image}\n" for image in images))
        for image in images:
            lines = [f"{MARKED.format(f'{image} {number}')}\n" for number in range(5)]
            (folder / "Sentences" / f"{image}.txt").write_text("".join(lines))
    return folder


def test_entities_sentences_are_read_without_markup(whole: Path) -> None:
    captions = read_flickr30k_entities(whole, split="train")
    assert len(captions) == 5 * 280
    first, second, last = TRAIN[20], TRAIN[21], TRAIN[-1]
    assert record(captions, 0) == (f"flickr30k/{first}#0", PLAIN.format(f"{first} 0"), f"flickr30k/{first}", "en")
    assert record(captions, 9) == (f"flickr30k/{second}#4", PLAIN.format(f"{second} 4"), f"flickr30k/{second}", "en")
    assert record(captions, -1) == (f"flickr30k/{last}#4", PLAIN.format(f"{last} 4"), f"flickr30k/{last}", "en")
    assert set(read_flickr30k_entities(whole, split="test").image_ids) == {"flickr30k/36979", "flickr30k/65567"}
    assert len(set(read_flickr30k_entities(whole, split="dev").image_ids)) == 20


def test_a_split_list_is_read_without_its_sentences(whole: Path) -> None:
    assert read_entities_list(whole, split="test") == ["flickr30k/36979", "flickr30k/65567"]


@pytest.mark.parametrize("each", [1, 2, None])
def test_the_first_captions_of_each_image_are_kept(entities: Path, each: int | None) -> None:
    captions = read_flickr30k_entities(entities, split="test", captions_per_image=each)
    assert captions.ids == tuple(f"flickr30k/{image}#{number}" for image in TEST for number in range(each or 5))


@pytest.mark.parametrize("ending", ["\r\n", "\n\n", "\n"])
def test_line_ends_and_marks_of_byte_order_change_nothing(entities: Path, ending: str) -> None:
    before = read_flickr30k_entities(entities, split="test")
    for path in (entities / "Sentences").iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", ending.encode()))
    if ending != "\n\n":
        path = entities / "test.txt"
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", ending.encode()))
    assert read_flickr30k_entities(entities, split="test") == before


@given(st.lists(st.tuples(st.booleans(), st.text("abc'.ü ", min_size=1).map(str.strip).filter(bool)), min_size=1))
def test_markup_comes_off_and_words_stay(parts: list[tuple[bool, str]]) -> None:
    marked = " ".join(f"[/EN#12/people/other {words}]" if phrase else words for phrase, words in parts)
    assert strip_markup(marked) == " ".join(words for _, words in parts)


@pytest.mark.parametrize(
    "sentence",
    [
        "[/EN#1/people A man holds a guitar .",
        "A man] holds [/EN#2/other a guitar] .",
        "[/EN#1/people A man [/EN#2/other a guitar] ] .",
        "[/EN#1/people ] runs .",
        "[/EN#x/people A man] runs .",
        "[/EN#1 A man] runs .",
        "A man [runs .",
    ],
)
def test_markup_that_does_not_close_is_named(entities: Path, sentence: str) -> None:
    with pytest.raises(ValueError, match="the markup does not close or open at '"):
        strip_markup(sentence)
    path = entities / "Sentences" / "65567.txt"
    path.write_text(path.read_text().replace(MARKED.format("65567 2"), sentence))
    with pytest.raises(ValueError, match=r"65567\.txt, line 3: the markup does not close"):
        read_flickr30k_entities(entities, split="test")


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("Sentences/65567.txt", None, r"65567\.txt does not exist, but the split's list names its image\. Unpack"),
        ("Sentences/65567.txt", b"One .\nTwo .\n", r"image 'flickr30k/65567' has 2 captions in 'en', not the 5"),
        ("Sentences/65567.txt", b"One .\n\xe9 .\n", r"65567\.txt, line 2: byte 0xe9 is not UTF-8.* Convert"),
        ("test.txt", None, r"test\.txt does not exist"),
        ("test.txt", b"", r"test\.txt is empty"),
        ("test.txt", b"36979\n65567.jpg\n", r"test\.txt, line 2: '65567\.jpg' is neither a number"),
        ("test.txt", b"36979\n36979\n", r"test\.txt, line 2: '36979' stands on line 1 already"),
    ],
)
def test_a_fault_in_entities_files_is_named(entities: Path, file: str, content: bytes | None, said: str) -> None:
    if content is None:
        (entities / file).unlink()
    else:
        (entities / file).write_bytes(content)
    with pytest.raises(ValueError, match=said):
        read_flickr30k_entities(entities, split="test")


def test_an_unknown_split_is_named(entities: Path) -> None:
    with pytest.raises(ValueError, match=r"split 'val' is unknown; there are \['train', 'dev', 'test'\]"):
        read_flickr30k_entities(entities, split="val")


def test_karpathys_split_is_read_from_each_of_its_layouts(tmp_path: Path) -> None:
    images = [(image, [f"Dog {image} does {number}." for number in range(5)]) for image in [*TEST, 1000092795]]
    rows = [
        {
            "filename": f"{image}.jpg",
            "split": "test" if image in TEST else "train",
            "sentences": [{"raw": text, "sentid": number} for number, text in enumerate(texts)],
        }
        for image, texts in images
    ]
    (tmp_path / "dataset_flickr30k.json").write_text(json.dumps({"images": rows, "dataset": "flickr30k"}))
    blip = [{"image": f"flickr30k-images/{image}.jpg", "caption": texts} for image, texts in images[:2]]
    (tmp_path / "flickr30k_test.json").write_text(json.dumps(blip))
    iglue = [{"sentences": texts, "id": str(image), "img_path": f"{image}.jpg"} for image, texts in images[:2]]
    (tmp_path / "test_ann.jsonl").write_text("".join(f"{json.dumps(row)}\r\n" for row in iglue))
    captions = read_flickr30k(tmp_path / "dataset_flickr30k.json", split="test")
    assert len(captions) == 10
    assert record(captions, 0) == ("flickr30k/36979#0", "Dog 36979 does 0.", "flickr30k/36979", "en")
    assert record(captions, 9) == ("flickr30k/65567#4", "Dog 65567 does 4.", "flickr30k/65567", "en")
    assert read_flickr30k(tmp_path / "flickr30k_test.json") == captions
    assert read_flickr30k(tmp_path / "test_ann.jsonl") == captions
    assert set(read_flickr30k(tmp_path / "dataset_flickr30k.json", split="train").image_ids) == {"flickr30k/1000092795"}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"image": "1.jpg", "caption": ["a"]}] * 2, r"record 2: picture '1' stands in .*record 1 already"),
        ([{"image": "1.jpg", "caption": []}], r"record 1: the captions are \[\]; there must be one or more"),
        ([{"image": "1.jpg"}], r"record 1: the captions are \[None\]"),
        ([{"caption": "a"}], r"record 1: 'image' must be there and be a str, got None"),
        (["a"], r"record 1: 'image' must be there"),
    ],
)
def test_a_fault_in_a_file_of_one_split_is_named(tmp_path: Path, rows: list[object], said: str) -> None:
    (tmp_path / "flickr30k_test.json").write_text(json.dumps(rows))
    with pytest.raises(ValueError, match=said):
        read_flickr30k(tmp_path / "flickr30k_test.json", captions_per_image=None)


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_text('{"sentences": ["a"], "img_path": "1.jpg"}\n{"sentences"\n')
    with pytest.raises(ValueError, match=r"test\.jsonl, line 2, as JSON line 1, column 13: this is not JSON"):
        read_flickr30k(tmp_path / "test.jsonl", captions_per_image=1)


def test_a_small_set_is_as_small_after_the_whole_one_was_read(whole: Path) -> None:
    """The published code gives all images if all were read before, and keeps whichever came first in a file."""
    assert len(set(read_flickr30k_entities(whole, split="train").image_ids)) == 280
    small = first_images(read_flickr30k_entities(whole, split="train"), 256)
    assert list(dict.fromkeys(small.image_ids)) == [f"flickr30k/{image}" for image in TRAIN[20:276]]
    assert len(set(read_flickr30k_entities(whole, split="train").image_ids)) == 280


def test_a_small_set_is_whole_on_the_first_call_and_no_file_is_written(whole: Path) -> None:
    """The published code reads files that it has not finished writing: 253 images instead of 256."""
    before = sorted(path for path in whole.rglob("*"))
    small = first_images(read_flickr30k_entities(whole, split="train"), 256)
    assert len(set(small.image_ids)) == 256
    assert len(small) == 5 * 256
    assert sorted(path for path in whole.rglob("*")) == before


def test_images_keep_the_order_of_the_split_list(whole: Path) -> None:
    """The published code takes them from sets, whose order changes with every run."""
    captions = read_flickr30k_entities(whole, split="train")
    assert list(dict.fromkeys(captions.image_ids)) == [f"flickr30k/{image}" for image in TRAIN[20:]]
