"""Conceptual Captions: the published code's table and Google's rows, generated small."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from reranksmart.datasets.conceptual_captions import read_conceptual_captions, read_conceptual_captions_rows
from reranksmart.values.records import Captions

ROWS = [(str(image), f"people in the street {image}") for image in (1, 27, 15001, *range(300, 308), 999)]
ROWS[1] = ("27", 'a sign says "stop", twice')


def record(captions: Captions, row: int) -> tuple[str, str, str, str]:
    return captions.ids[row], captions.texts[row], captions.image_ids[row], captions.languages[row]


def write_table(path: Path, rows: list[tuple[str, str]], *, delimiter: str = "\t", ending: str = "\n") -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator=ending)
        writer.writerow(("caption", "image_id"))
        writer.writerows((text, image) for image, text in rows)
    return path


@pytest.mark.parametrize(("delimiter", "ending"), [("\t", "\n"), (",", "\n"), ("\t", "\r\n")])
def test_the_published_codes_table_is_read(tmp_path: Path, delimiter: str, ending: str) -> None:
    captions = read_conceptual_captions(write_table(tmp_path / "cc.tsv", ROWS, delimiter=delimiter, ending=ending))
    assert len(captions) == 12
    assert record(captions, 0) == ("cc/1#0", "people in the street 1", "cc/1", "en")
    assert record(captions, 1) == ("cc/27#0", 'a sign says "stop", twice', "cc/27", "en")
    assert record(captions, 9) == ("cc/306#0", "people in the street 306", "cc/306", "en")
    assert record(captions, -1) == ("cc/999#0", "people in the street 999", "cc/999", "en")


def test_columns_are_found_by_name_and_a_mark_of_byte_order_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "cc.csv").write_bytes("\ufeffimage_id,url,caption\n7,http://a.org,Größe\n".encode())
    assert record(read_conceptual_captions(tmp_path / "cc.csv"), 0) == ("cc/7#0", "Größe", "cc/7", "en")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"cc\.tsv holds no caption"),
        (b"caption\timage_id\n", r"cc\.tsv holds no caption"),
        (b"a dog\t1\n", r"cc\.tsv, line 1: column 'caption' must be there once, among \['a dog', '1'\]"),
        (b"caption\timage_id\na dog\t1\na cat\n", r"line 3: 1 fields, not 2"),
        (b"caption\timage_id\na dog\t1\na cat\t1\n", r"line 3: caption id 'cc/1#0' is that of .*line 2 too"),
        (b"caption\timage_id\na dog\t\n", "line 2: the image id is empty"),
        (b"caption\timage_id\n\t1\n", "line 2: the caption is empty"),
        (b'caption\timage_id\na dog\t1\n"a cat\t2\n', "from line 3: unexpected end of data"),
        (b"caption\timage_id\na dog\t1\na \xff cat\t2\n", "line 3: byte 0xff is not UTF-8"),
    ],
)
def test_a_fault_in_the_table_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "cc.tsv").write_bytes(content)
    with pytest.raises(ValueError, match=said):
        read_conceptual_captions(tmp_path / "cc.tsv")


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cc\.tsv does not exist or is no file\. Fetch the file again"):
        read_conceptual_captions(tmp_path / "cc.tsv")


def write_rows(path: Path, count: int = 12) -> Path:
    rows = [f'picture {row} shows "{row}\thttp://a.org/{row}.jpg\n' for row in range(1, count + 1)]
    path.write_text("".join(rows))
    return path


def test_an_image_has_the_caption_of_its_own_row_of_googles(tmp_path: Path) -> None:
    """The published scripts count pictures from 1 and captions from 0: each image gets the next row's."""
    captions = read_conceptual_captions_rows(write_rows(tmp_path / "validation.tsv"))
    assert len(captions) == 12
    assert record(captions, 0) == ("cc/1#0", 'picture 1 shows "1', "cc/1", "en")
    assert record(captions, 9) == ("cc/10#0", 'picture 10 shows "10', "cc/10", "en")
    assert record(captions, -1) == ("cc/12#0", 'picture 12 shows "12', "cc/12", "en")


@pytest.mark.parametrize("row", ["a dog", "a dog\tnowhere", "a\tdog\thttp://a.org/1.jpg"])
def test_a_row_that_is_no_caption_and_url_is_named(tmp_path: Path, row: str) -> None:
    path = write_rows(tmp_path / "validation.tsv", 2)
    path.write_text(f"{path.read_text()}{row}\n")
    with pytest.raises(ValueError, match=r"validation\.tsv, line 3: .* is not a caption, a tab and a URL"):
        read_conceptual_captions_rows(path)


def test_an_image_id_is_the_name_of_its_feature_file(tmp_path: Path) -> None:
    """The published code pads ids but not the names of files that it reads when they are asked for, and misses them."""
    features = tmp_path / "features_test"
    features.mkdir()
    for image, _ in ROWS:
        (features / f"{image}.npz").touch()
    captions = read_conceptual_captions(write_table(tmp_path / "cc_test.tsv", ROWS))
    assert {image_id.removeprefix("cc/") for image_id in captions.image_ids} == {
        path.stem for path in features.iterdir()
    }
