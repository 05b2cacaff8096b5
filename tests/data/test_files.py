import json
import os
import unicodedata
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from reranksmart.datasets.files import PreparedFiles, prepare_file_split
from reranksmart.datasets.prepared.audit import audit_splits
from reranksmart.datasets.prepared.layout import picture_path, read_image_ids
from reranksmart.files.storage import read_captions, read_jsonl
from reranksmart.searching.building import collected

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
    assert [(row["kind"], Path(row["what"]).name) for row in read_jsonl(folder / "skipped.jsonl")] == [
        ("broken pictures", "red.png"),
        ("captions of broken pictures", "0"),
    ]


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
        ('image,text\nred.png,"a square\ndeep/blue.jpg,"a blue one"\n', "line 3: ',' expected after '\"'"),
        ('image,text\nred.png,"a \\"red\\" square"\n', r"line 2: .*a quotation mark in it is written twice"),
        ("image,text,text\nred.png,a,b\n", "column 'text' stands in its first line twice"),
        (
            f"image,text\nred.png,{'a' * 200_000}\n",
            "line 2: a text of more than 131,072 characters, .* lack its other one",
        ),
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
    assert [(Path(one.what).name, one.kind) for one in found.left_out] == [
        (".hidden.png", "hidden"),
        ("notes.txt", "no picture by its content (.txt)"),
        ("torn.jpeg", "broken pictures"),
    ]
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


def test_pictures_of_nearly_one_name_are_all_kept(mine: Path) -> None:
    names = ["deep/blue.jpg", "deep__blue.jpg", "deep blue", "deep blue.jpg"]
    for name in names:
        Image.new("RGB", (32, 24), "green").save(mine / "pictures" / name, "JPEG")
    prepare_file_split(mine / "out", None, mine / "pictures", dataset="mine", languages=["en"])
    for name in names:
        assert picture_path(mine / "out", f"mine/{name}").resolve() == mine / "pictures" / name


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


def own_split(mine: Path, table: str, *, ending: str = "csv", out: str = "out") -> PreparedFiles:
    (mine / f"captions.{ending}").write_text(table)
    return prepare_file_split(
        mine / out, mine / f"captions.{ending}", mine / "pictures", dataset="mine", languages=["en"]
    )


def test_captions_of_no_picture_are_named_with_the_nearest_there_is(mine: Path) -> None:
    names = ["red.png", "red.PNG", "pictures/red.png", "red.jpg", "/data/deep/blue.jpg", "../red.png", "rad.png", "x"]
    found = own_split(mine, "image,text\n" + "".join(f"{name},a square\n" for name in names))
    assert found.captions.image_ids == ("mine/red.png",)
    told = {one.what[-1]: one.reason for one in found.left_out if one.kind == "captions whose picture is not there"}
    assert len(told) == 7
    for line, nearest in (
        ("3", "red.png"),
        ("4", "red.png"),
        ("5", "red.png"),
        ("6", "deep/blue.jpg"),
        ("8", "red.png"),
    ):
        assert told[line].endswith(f"the nearest name is {nearest!r}")
    assert "nearest" not in told["9"]
    assert [one["reason"] for one in read_jsonl(mine / "out" / "skipped.jsonl")] == [
        one.reason for one in found.left_out
    ]


def test_no_caption_with_a_picture_is_an_error_that_shows_a_near_name(mine: Path) -> None:
    with pytest.raises(ValueError, match=r"none of the 1 captions .* 'images/red\.png' .* nearest name is 'red\.png'"):
        own_split(mine, "image,text\nimages/red.png,a square\n")
    assert not (mine / "out").exists()


def test_a_picture_is_found_in_either_unicode_form_and_with_backslashes(mine: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "café.png")
    Image.new("RGB", (32, 24), "green").save(mine / "pictures" / decomposed)
    found = own_split(mine, "image,text\ncafé.png,a cup\ndeep\\blue.jpg,a square\n")
    assert found.captions.image_ids == (f"mine/{decomposed}", "mine/deep/blue.jpg")


@pytest.mark.parametrize("ending", ["csv", "txt"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_is_read_whatever_separates_its_columns(mine: Path, ending: str, separator: str) -> None:
    table = "image,text\nred.png,a red square\n".replace(",", separator)
    assert own_split(mine, table, ending=ending).captions.texts == ("a red square",)


@pytest.mark.parametrize("ending", ["json", "txt"])
def test_a_json_list_of_records_is_read(mine: Path, ending: str) -> None:
    assert own_split(mine, json.dumps(LINES, indent=1), ending=ending).captions.ids == ("mine/0", "mine/1")
    with pytest.raises(ValueError, match="entry 2: not a JSON object but 'red'"):
        own_split(mine, json.dumps([LINES[0], "red"]), ending=ending, out="other")


def test_linked_folders_are_read_once_and_loops_are_named(mine: Path) -> None:
    (mine / "else").mkdir()
    Image.new("RGB", (32, 24), "green").save(mine / "else" / "two.jpg")
    (mine / "pictures" / "trip").symlink_to("../else")
    (mine / "pictures" / "trip again").symlink_to("../else")
    (mine / "else" / "back").symlink_to(mine / "pictures")
    (mine / "pictures" / "gone.jpg").symlink_to("nowhere")
    found = prepare_file_split(mine / "out", None, mine / "pictures", dataset="mine", languages=["en"])
    assert found.image_ids == ("mine/deep/blue.jpg", "mine/red.png", "mine/trip/two.jpg")
    assert sorted((Path(one.what).name, one.kind) for one in found.left_out) == [
        ("back", "symbolic links"),
        ("gone.jpg", "a symbolic link to nothing"),
        ("trip again", "symbolic links"),
    ]
    named = own_split(mine, "image,text\ntrip/two.jpg,a square\n", out="named")
    assert named.image_ids == ("mine/trip/two.jpg",)


def test_pictures_are_known_by_content_and_other_files_counted_by_ending(mine: Path) -> None:
    folder = mine / "many"
    folder.mkdir()
    drawn = Image.new("RGB", (32, 24), "green")
    for name, format_ in (("b.gif", "GIF"), ("c.bmp", "BMP"), ("d.tif", "TIFF"), ("e.jfif", "JPEG"), ("f", "PNG")):
        drawn.save(folder / name, format=format_)
    (folder / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (folder / "page.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n")
    (folder / "notes.txt").write_text("no picture")
    found = prepare_file_split(mine / "out", None, folder, dataset="mine", languages=["en"])
    assert found.image_ids == ("mine/b.gif", "mine/c.bmp", "mine/d.tif", "mine/e.jfif", "mine/f")
    assert {Path(one.what).name: one.kind for one in found.left_out} == {
        "IMG_1.HEIC": "HEIC, which is read with the extra: pip install 'reranksmart[heic]'",
        "page.jpg": "broken pictures",
        "notes.txt": "no picture by its content (.txt)",
    }


def test_a_name_in_latin_1_costs_its_picture_alone(mine: Path) -> None:
    name = os.fsencode(mine / "pictures") + b"/caf\xe9.png"
    with open(name, "wb") as file:
        Image.new("RGB", (32, 24), "green").save(file, format="PNG")
    found = prepare_file_split(mine / "out", None, mine / "pictures", dataset="mine", languages=["en"])
    assert len(found.image_ids) == 2
    assert [one["what"].endswith("caf\\xe9.png") for one in read_jsonl(mine / "out" / "skipped.jsonl")] == [True]


WORDS = st.sampled_from(["a", "b", "é", unicodedata.normalize("NFD", "é"), "c d", "A"])
FILES = st.tuples(st.lists(WORDS, max_size=2), WORDS, st.sampled_from([".png", ".PNG", ".gif", ".txt", ".jpg", ""]))


def a_picture() -> bytes:
    made = BytesIO()
    Image.new("RGB", (4, 4)).save(made, "PNG")
    return made.getvalue()


@settings(max_examples=40)
@given(st.lists(FILES, min_size=1, max_size=8), st.lists(FILES, max_size=8), st.sampled_from("/\\"), st.booleans())
def test_what_is_given_is_used_or_left_out_with_a_reason(files, rows, slash, link) -> None:
    drawn = a_picture()
    with TemporaryDirectory() as place:
        folder = Path(place) / "pictures"
        (folder / "always").mkdir(parents=True)
        pictures = {"always/here.png"}
        for parts, stem, ending in files:
            path = folder.joinpath(*parts, f"{stem} {len(parts)}{ending}")
            path.parent.mkdir(parents=True, exist_ok=True)
            content = (b"no picture", drawn, drawn)[len(stem) % 3]  # one picture again, under other names
            path.write_bytes(content)
            pictures.add(path.relative_to(folder).as_posix())
        (folder / "always" / "here.png").write_bytes(drawn)
        if link:
            (folder / "always" / "loop").symlink_to(folder)
        table = Path(place) / "captions.jsonl"
        named = ["always/here.png", *("/".join([*p, f"{s} {len(p)}{e}"]).replace("/", slash) for p, s, e in rows)]
        table.write_text("".join(json.dumps({"image": name, "text": "a thing"}) + "\n" for name in named))
        bare = prepare_file_split(Path(place) / "bare", None, folder, dataset="mine", languages=["en"])
        assert len(bare.image_ids) + len(bare.left_out) == len(pictures) + link
        found = prepare_file_split(Path(place) / "out", table, folder, dataset="mine", languages=["en"])
        of_split = len(found.image_ids), found.captions, found.left_out
        searchable, *of_gallery = collected(folder, table, name="mine", languages=["en"])
        for used, captions, left_out in (of_split, (len(searchable), *of_gallery)):
            of_captions = [one for one in left_out if one.kind.startswith("captions")]
            assert len(captions) + len(of_captions) == len(named)
            assert used + len(left_out) - len(of_captions) == len(pictures) + link
