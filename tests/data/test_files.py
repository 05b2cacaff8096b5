import json
from pathlib import Path

import pytest
from PIL import Image

from reranksmart.datasets.files import prepare_file_split
from reranksmart.datasets.prepared.audit import audit_splits
from reranksmart.datasets.prepared.layout import picture_path, read_image_ids
from reranksmart.files.storage import read_captions, read_jsonl

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
        ({"id": 3}, r"line 1: \['id'\] missing or not text"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_written(mine: Path, change: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        prepare(mine, [{**LINES[0], **change}, LINES[1]])
    assert not (mine / "out").exists()


@pytest.mark.parametrize("content", [b"", b"no picture at all"])
def test_a_broken_picture_is_left_out_with_its_captions_and_named(mine: Path, content: bytes) -> None:
    (mine / "pictures" / "red.png").write_bytes(content)
    folder = prepare(mine, LINES)
    assert read_captions(folder / "captions.jsonl").ids == ("mine/1",)
    assert [path.name for path in (folder / "images").iterdir()] == ["deep__blue.jpg"]
    assert [Path(row["path"]).name for row in read_jsonl(folder / "skipped.jsonl")] == ["red.png"]


def test_a_truncated_picture_is_left_out(mine: Path) -> None:
    path = mine / "pictures" / "deep" / "blue.jpg"
    path.write_bytes(path.read_bytes()[:-200])
    assert read_captions(prepare(mine, LINES) / "captions.jsonl").ids == ("mine/0",)


def test_broken_pictures_alone_are_an_error_and_nothing_is_written(mine: Path) -> None:
    (mine / "pictures" / "red.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"red\.png is not a whole picture .* any of the 1 files"):
        prepare(mine, LINES[:1])
    assert not (mine / "out").exists()


def test_csv_and_json_lines_are_the_same_split(mine: Path) -> None:
    expected = read_captions(prepare(mine, LINES) / "captions.jsonl")
    table = mine / "captions.csv"
    table.write_text('\ufeffimage,text,id\nred.png,"a red square",0\ndeep/blue.jpg,a blue square,1\n')
    found = prepare_file_split(mine / "csv", table, mine / "pictures", dataset="mine", languages=["en"])
    assert found.captions == expected


def test_captions_without_ids_are_numbered_by_picture(mine: Path) -> None:
    table = mine / "captions.csv"
    table.write_text('image,text\nred.png,"a square, red"\ndeep/blue.jpg,a blue square\nred.png,all red\n')
    found = prepare_file_split(mine / "csv", table, mine / "pictures", dataset="mine", languages=["en"]).captions
    assert found.ids == ("mine/red.png#0", "mine/deep/blue.jpg#0", "mine/red.png#1")
    assert found.texts[0] == "a square, red"


def test_a_picture_is_one_however_its_path_is_spelled(mine: Path) -> None:
    spelled = ["red.png", "./red.png", "deep/../red.png"]
    lines = [{"text": f"a red square, {path}", "image": path} for path in spelled]
    folder = prepare(mine, lines)
    assert set(read_captions(folder / "captions.jsonl").image_ids) == {"mine/red.png"}
    assert [path.name for path in (folder / "images").iterdir()] == ["red.png"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("picture,caption\nred.png,a\n", r"names the columns \['picture', 'caption'\]; text and image are needed"),
        ("image,text\nred.png,a\ndeep/blue.jpg,\n", r"line 3: \['text'\] missing or not text"),
        ("image,text\n", "holds no caption"),
        ("image,text\nred.png,a square, red\n", r"line 2: more fields than the 2 columns .* into quotation marks"),
        ('image,text\nred.png,"a square\ndeep/blue.jpg,"a blue one"\n', "',' expected after '\"'"),
    ],
)
def test_a_bad_table_is_named(mine: Path, table: str, said: str) -> None:
    (mine / "captions.csv").write_text(table)
    with pytest.raises(ValueError, match=said):
        prepare_file_split(mine / "csv", mine / "captions.csv", mine / "pictures", dataset="mine", languages=["en"])


def test_a_folder_without_captions_is_a_split_of_all_its_pictures(mine: Path) -> None:
    Image.new("RGB", (32, 24), "green").save(mine / "pictures" / "deep" / "Green.WEBP", format="WEBP")
    (mine / "pictures" / ".hidden.png").write_bytes(b"")
    (mine / "pictures" / "notes.txt").write_text("no picture")
    (mine / "pictures" / "torn.jpeg").write_bytes(b"\xff\xd8\xff\xe0 torn")
    found = prepare_file_split(mine / "out", None, mine / "pictures", dataset="mine", languages=["en"])
    assert [fault.path.name for fault in found.broken] == ["torn.jpeg"]
    assert read_image_ids(mine / "out") == ["mine/deep/Green.WEBP", "mine/deep/blue.jpg", "mine/red.png"]
    assert all(picture_path(mine / "out", image_id).is_file() for image_id in found.image_ids)
    assert len(read_captions(mine / "out" / "captions.jsonl")) == 0


@pytest.mark.parametrize(
    "name",
    [
        "Screenshot 2026-11-25 at 9.41.00\u202fAM.png",
        "写真\u3000一.png",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467.png",
        "/".join(["Мои фотографии " + "летом" * 10] * 3 + ["море.png"]),
    ],
    ids=["of macOS", "ideographic space", "family", "longer than a file's name may be"],
)
def test_a_picture_keeps_the_name_that_its_owner_gave_it(mine: Path, name: str) -> None:
    path = mine / "pictures" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 24), "green").save(path)
    found = prepare_file_split(mine / "out", None, mine / "pictures", dataset="mine", languages=["en"])
    assert f"mine/{name}" in found.image_ids
    assert picture_path(mine / "out", f"mine/{name}").resolve() == path
    assert read_image_ids(mine / "out") == list(found.image_ids)


def test_two_pictures_that_would_share_a_name_are_named(mine: Path) -> None:
    Image.new("RGB", (32, 24), "green").save(mine / "pictures" / "deep__blue.jpg")
    with pytest.raises(ValueError, match=r"have the same name 'deep__blue\.jpg'"):
        prepare_file_split(mine / "out", None, mine / "pictures", dataset="mine", languages=["en"])


def test_an_empty_folder_and_no_folder_are_named(mine: Path) -> None:
    (mine / "empty").mkdir()
    for name, said in (("empty", "holds no picture"), ("gone", "is not a folder")):
        with pytest.raises(ValueError, match=said):
            prepare_file_split(mine / "out", None, mine / name, dataset="mine", languages=["en"])


def test_the_audit_finds_a_picture_in_two_splits_of_your_own(mine: Path) -> None:
    train = prepare(mine, LINES[:1], out="train")
    test = prepare(mine, [{**LINES[0], "id": "7"}], out="test")
    with pytest.raises(ValueError, match="have the same picture"):
        audit_splits({"train": train, "test": test})


def test_a_picture_twice_in_one_split_is_no_fault_of_its_splits(mine: Path) -> None:
    Image.new("RGB", (32, 24), "red").save(mine / "pictures" / "copy of red.png")
    train = prepare(mine, [LINES[0], {**LINES[0], "id": "2", "image": "copy of red.png"}], out="train")
    assert audit_splits({"train": train, "test": prepare(mine, LINES[1:], out="test")}) == {
        "pictures": 2,
        "captions": 3,
    }
