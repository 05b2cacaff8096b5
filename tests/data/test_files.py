import json
from pathlib import Path

import pytest
from PIL import Image

from reranksmart.data.audit import audit_splits
from reranksmart.data.files import prepare_file_split
from reranksmart.data.layout import picture_path
from reranksmart.storage import read_captions

LINES = [
    {"id": "0", "text": "a red square", "image": "red.png"},
    {"id": "1", "text": "a blue square", "image": "deep/blue.jpg"},
]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "pictures" / "deep").mkdir(parents=True)
    Image.new("RGB", (32, 24), "red").save(tmp_path / "pictures" / "red.png")
    Image.new("RGB", (32, 24), "blue").save(tmp_path / "pictures" / "deep" / "blue.jpg")
    return tmp_path


def prepare(mine: Path, lines: list[dict[str, str]], *, out: str = "out") -> Path:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (mine / "captions.jsonl").write_text(text)
    folder = mine / out
    prepare_file_split(folder, mine / "captions.jsonl", mine / "pictures", dataset="mine", languages=["en"])
    return folder


def test_pictures_and_captions_become_a_split(mine: Path) -> None:
    folder = prepare(mine, LINES)
    captions = read_captions(folder / "captions.jsonl")
    assert captions.ids == ("mine/0", "mine/1")
    assert captions.image_ids == ("mine/red.png", "mine/deep/blue.jpg")
    assert all(Image.open(picture_path(folder, image_id)).size == (32, 24) for image_id in captions.image_ids)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image": "gone.png"}, r"image 'gone\.png' is not in .*Put the picture there or remove its captions"),
        ({"image": "../captions.jsonl"}, "lies outside"),
        ({"text": ""}, "caption 'mine/0' is empty"),
        ({"id": "1"}, "caption id 'mine/1' occurs 2 times"),
        ({"language": "xx"}, "language 'xx' is not among the dataset's"),
        ({"image": 3}, r"line 1: \['image'\] missing or not text"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_written(mine: Path, change: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        prepare(mine, [{**LINES[0], **change}, LINES[1]])
    assert not (mine / "out").exists()


@pytest.mark.parametrize("content", [b"", b"no picture at all"])
def test_what_is_no_picture_is_named(mine: Path, content: bytes) -> None:
    (mine / "pictures" / "red.png").write_bytes(content)
    with pytest.raises(ValueError, match=r"red\.png is not a whole picture"):
        prepare(mine, LINES)


def test_a_truncated_picture_is_named(mine: Path) -> None:
    path = mine / "pictures" / "deep" / "blue.jpg"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"blue\.jpg is not a whole picture"):
        prepare(mine, LINES)
    assert not (mine / "out").exists()


def test_the_audit_finds_a_picture_in_two_splits_of_your_own(mine: Path) -> None:
    train = prepare(mine, LINES[:1], out="train")
    test = prepare(mine, [{**LINES[0], "id": "7"}], out="test")
    with pytest.raises(ValueError, match="have the same picture"):
        audit_splits({"train": train, "test": test})
