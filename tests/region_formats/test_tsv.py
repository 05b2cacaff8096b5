"""TSV rows: literal rows that were worked out by hand, broken rows, and mutated ones."""

from __future__ import annotations

import base64
import csv
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reranksmart.regions.formats import tsv
from reranksmart.regions.formats.tsv import read_bottom_up_tsv, read_lxmert_tsv
from reranksmart.regions.formats.vinvl import VinvlLabels, read_vinvl_tsv

from .conftest import converted
from .published import FEATURE_SIZE, PICTURES, bottom_up_row, encoded, write_rows

# Little-endian float32: 0 = 00000000, 1 = 0000803f, 2 = 00000040, 160 = 00002043, 240 = 00007043.
ZERO_TO_TWO = "AAAAAAAAgD8AAABA"
BOX = "AAAAAAAAgD8AACBDAABwQw=="  # 0 1 160 240


@pytest.fixture
def path(tmp_path):
    return tmp_path / "features.tsv"


def test_a_row_worked_out_by_hand_is_read(path, convert):
    write_rows(path, [["36979", 320, 480, 1, BOX, ZERO_TO_TWO]])
    store = convert(read_bottom_up_tsv(path), feature_size=3)
    assert store.image_ids == ("d/36979",)
    assert store.features.tolist() == [[0, 1, 2]]
    assert store.boxes.tolist() == [[0, np.float32(1 / 480), 0.5, 0.5]]


def test_height_stands_before_width_in_an_lxmert_row(path, convert):
    number, confidence = "BwAAAAAAAAA=", "AAAAPw=="  # 7 and 0.5
    write_rows(path, [["36979", 480, 320, number, confidence, number, confidence, 1, BOX, ZERO_TO_TWO]])
    store = convert(read_lxmert_tsv(path), feature_size=3)
    assert store.boxes.tolist() == [[0, np.float32(1 / 480), 0.5, 0.5]]
    assert (store.labels.tolist(), store.confidences.tolist()) == ([7], [0.5])


def test_vinvl_columns_are_features_then_boxes(path, convert):
    geometry = "AAAAAAAAAD8AAIA/AACAPwAAgD8AAAA/"  # 0 0.5 1 1 1 0.5
    columns = base64.b64encode(base64.b64decode(ZERO_TO_TWO) + base64.b64decode(geometry)).decode()
    write_rows(path, [["36979", 1, columns]])
    store = convert(read_vinvl_tsv(path), feature_size=3)
    assert store.features.tolist() == [[0, 1, 2]]
    assert store.boxes.tolist() == [[0, 0.5, 1, 1]]


def with_field(column: int, value: object) -> list[object]:
    row = bottom_up_row(PICTURES[2])
    row[column] = value
    return row


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (bottom_up_row(PICTURES[2])[:-1], "5 fields, but a row has 6: img_id, img_w"),
        ([*bottom_up_row(PICTURES[2]), ""], "7 fields, but a row has 6"),
        (with_field(0, ""), "row 3: the image id is empty"),
        (with_field(1, "img_w"), "img_w is b'img_w'; it must be a whole number, 1 or more"),
        (with_field(1, 0), "img_w is b'0'; it must be a whole number, 1 or more"),
        (with_field(2, -3), "img_h is b'-3'"),
        (with_field(2, 480.5), r"img_h is b'480\.5'"),
        (with_field(3, 0), "features has 96 bytes, which 0 boxes"),
        (with_field(3, -1), "num_boxes is b'-1'; it must be a whole number, 0 or more"),
        (with_field(3, 2), r"boxes are float32 \(2, 6\); 2 features need|features has 96 bytes|features are float32"),
        (with_field(3, 7), "has .* bytes, which 7 boxes of 4-byte <f4 do not fill"),
        (with_field(4, encoded(PICTURES[2].boxes)[:-3]), "boxes is not base64"),
        (with_field(4, "b'" + encoded(PICTURES[2].boxes)), "boxes is not base64"),
        (with_field(4, encoded(PICTURES[2].boxes.astype(np.float64))), r"boxes are float32 \(3, 8\)"),
        (with_field(5, encoded(PICTURES[2].features)[:-8]), "features has 90 bytes, which 3 boxes"),
        (with_field(5, encoded(PICTURES[2].features.astype(np.float64))), r"features are float32 \(3, 16\)"),
        (with_field(5, encoded(PICTURES[2].features.astype(np.float16))), r"features are float32 \(3, 4\)"),
        (with_field(5, ""), "features has 0 bytes"),
    ],
)
def test_a_broken_row_is_named(path, convert, row, message):
    write_rows(path, [*map(bottom_up_row, PICTURES[:2]), row, *map(bottom_up_row, PICTURES[3:])])
    with pytest.raises(ValueError, match=message) as error:
        convert(read_bottom_up_tsv(path))
    assert f"{path}, row 3" in str(error.value)


@pytest.mark.parametrize("quote", ["'", '"'])
def test_base64_written_as_python_shows_bytes_is_read(path, convert, quote):
    row = bottom_up_row(PICTURES[2])
    write_rows(path, [[*row[:4], *(f"b{quote}{field}{quote}" for field in row[4:])]])
    np.testing.assert_array_equal(convert(read_bottom_up_tsv(path)).features, PICTURES[2].features.astype(np.float16))


def test_a_file_cut_off_in_its_last_row_is_refused(path, convert):
    write_rows(path, list(map(bottom_up_row, PICTURES)))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match="row 12, image '1000092938': features"):
        convert(read_bottom_up_tsv(path))


def test_line_ends_and_blank_lines_change_nothing(path, convert):
    write_rows(path, list(map(bottom_up_row, PICTURES)))
    plain = convert(read_bottom_up_tsv(path)).features.tolist()
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n\n").rstrip(b"\n"))
    assert convert(read_bottom_up_tsv(path)).features.tolist() == plain


def test_a_file_without_line_ends_is_not_read_into_memory(path, convert, monkeypatch):
    monkeypatch.setattr(tsv, "_MOST_BYTES_PER_ROW", 1000)
    path.write_bytes(b"x" * 5000)
    with pytest.raises(ValueError, match="row 1: longer than 1,000 bytes"):
        convert(read_bottom_up_tsv(path))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["1"], "1 fields, but a row has img_id, num_boxes and features"),
        (["1", "{"], "the second field is not JSON with num_boxes and features"),
        (["1", '{"num_boxes": 1}'], "the second field is not JSON with num_boxes and features"),
        (["1", '{"num_boxes": 1.5, "features": "AAAA"}'], r"num_boxes is b'1\.5'"),
        (["1", 1, ZERO_TO_TWO], r"features have shape \(1, 3\)"),
    ],
)
def test_a_broken_vinvl_row_is_named(path, convert, row, message):
    write_rows(path, [row])
    with pytest.raises(ValueError, match=message) as error:
        convert(read_vinvl_tsv(path))
    assert f"{path}, row 1, image '1'" in str(error.value)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["1", "[]"], ["1", "[]"]], "row 2, image '1': the image has labels already"),
        ([["1", '[{"class": "dog"}]']], "row 1, image '1': not a list of objects .*KeyError"),
        ([["1", '[{"class": 5, "conf": 1}]']], "row 1, image '1': not a list of objects"),
        ([["1", '{"objects": 5}']], "row 1, image '1': not a list of objects"),
        ([["1", '[{"class": "dog", "co']], "row 1, image '1': not a list of objects .*JSONDecodeError"),
    ],
)
def test_broken_vinvl_labels_are_named(path, rows, message):
    write_rows(path, rows)
    with pytest.raises(ValueError, match=message):
        VinvlLabels.read(path)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([["2", "[]"]], "the label file has no row of this image"),
        ([["1", '[{"class": "dog", "conf": 1}]']], r"labels are int32 \(1,\); 3 regions need \(3,\)"),
        (
            [["1", '[{"class": "dog", "conf": NaN}, {"class": "a", "conf": 1}, {"class": "a", "conf": 1}]']],
            "not finite",
        ),
    ],
)
def test_labels_of_other_images_are_refused(tmp_path, path, convert, labels, message):
    write_rows(path, [["1", 3, encoded(PICTURES[2].columns)]])
    write_rows(tmp_path / "predictions.tsv", labels)
    with pytest.raises(ValueError, match=message):
        convert(read_vinvl_tsv(path, VinvlLabels.read(tmp_path / "predictions.tsv")))


def naively_read(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Features and boxes as the published code reads them: no check that Python or numpy does not make by itself."""
    found = {}
    with path.open(newline="") as file:
        for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row:
                image, width, height, count, boxes, features = row
                size = np.array([int(width), int(height)] * 2)
                corners = np.frombuffer(base64.b64decode(boxes), "<f4").reshape(int(count), 4)
                values = np.frombuffer(base64.b64decode(features), "<f4").reshape(int(count), FEATURE_SIZE)
                found[f"d/{image.strip()}"] = values.astype(np.float16), np.clip(corners / size, 0, 1)
    return found


WHOLE = "".join("\t".join(map(str, bottom_up_row(image))) + "\n" for image in PICTURES[:4]).encode()
PLACES = st.integers(0, len(WHOLE))
MUTANTS = st.one_of(
    st.builds(lambda at: WHOLE[:at], PLACES),
    st.builds(lambda at, end: WHOLE[:at] + WHOLE[end:], PLACES, PLACES),
    st.builds(lambda at, put: WHOLE[:at] + put + WHOLE[at:], PLACES, st.binary(min_size=1, max_size=3)),
    st.builds(lambda at, put: WHOLE[:at] + put + WHOLE[at + 1 :], PLACES, st.sampled_from([b"\t", b"\n", b"9", b"A"])),
    st.permutations(range(6)).map(
        lambda order: b"\n".join(b"\t".join(row.split(b"\t")[i] for i in order) for row in WHOLE.splitlines())
    ),
)


@given(mutant=MUTANTS)
@settings(max_examples=200)
def test_a_mutated_file_is_refused_or_read_as_it_stands(mutant):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.tsv"
        path.write_bytes(mutant)
        message = ""
        try:
            store = converted(read_bottom_up_tsv(path), Path(folder) / "out")
        except ValueError as error:
            message = str(error)
        if message:
            assert str(path) in message or "no image was found" in message
            return
        expected = naively_read(path)
        assert set(store.image_ids) == set(expected)
        for image_id, found in zip(store.image_ids, store, strict=True):
            features, boxes = expected[image_id]
            assert (found.features == features).all()
            assert np.allclose(found.boxes, boxes, atol=1e-6) or (boxes[:, :2] > boxes[:, 2:]).any()
