"""Rows of tab-separated values with base64 arrays: bottom-up-attention (and BAN) and LXMERT files.

Both have one image a row and no header. The arrays are little-endian; all floats have 32 bits, all numbers of classes
64. Sources: github.com/peteanderson80/bottom-up-attention, github.com/jnhwkim/ban-vqa (the Flickr30k files that the
paper used), github.com/airsplay/lxmert.
"""

import binascii
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reranksmart.regions.formats.images import Detections, PublishedImage, open_published

_MOST_BYTES_PER_ROW = 64 * 2**20  # a hundred regions of 2054 floats are 1.1 MB of base64

BOTTOM_UP_COLUMNS = ("img_id", "img_w", "img_h", "num_boxes", "boxes", "features")
LXMERT_COLUMNS = (
    *("img_id", "img_h", "img_w", "objects_id", "objects_conf"),
    *("attrs_id", "attrs_conf", "num_boxes", "boxes", "features"),
)


def read_bottom_up_tsv(path: Path) -> Iterator[PublishedImage]:
    """The images of a bottom-up-attention or BAN file; it names no classes."""
    return _read(path, BOTTOM_UP_COLUMNS)


def read_lxmert_tsv(path: Path) -> Iterator[PublishedImage]:
    """The images of an LXMERT file, with class and confidence of each region."""
    return _read(path, LXMERT_COLUMNS)


def rows(path: Path) -> Iterator[tuple[int, list[bytes]]]:
    """The number, from 1, and the fields of each row that is not blank; no row is held longer than its turn."""
    with open_published(path) as file:
        number = 0
        while line := file.readline(_MOST_BYTES_PER_ROW + 1):
            number += 1
            if len(line) > _MOST_BYTES_PER_ROW:
                raise ValueError(
                    f"{path}, row {number}: longer than {_MOST_BYTES_PER_ROW:,} bytes, which no image needs. "
                    "This is no TSV file of region features, or its line ends are lost; fetch it again."
                )
            if fields := line.strip(b"\r\n"):
                yield number, fields.split(b"\t")
        if not number:
            raise ValueError(f"{path} is empty; a row holds one image. Fetch the file again.")


def text_of(field: bytes, *, place: str) -> str:
    """An image id."""
    try:
        text = field.decode().strip()
    except UnicodeDecodeError as error:
        raise ValueError(f"{place}: the image id {field[:80]!r} is not UTF-8; fetch the file again.") from error
    if not text:
        raise ValueError(f"{place}: the image id is empty; remove the row or fetch the file again.")
    return text


def whole_number(field: bytes, *, name: str, least: int = 1) -> int:
    """An integer in decimal digits, from ``least``."""
    if not (field.isdigit() and len(field) < 10 and int(field) >= least):
        raise ValueError(f"{name} is {field[:40]!r}; it must be a whole number, {least} or more. Fetch the file again.")
    return int(field)


def array_of(field: bytes, *, name: str, count: int, dtype: str) -> NDArray[Any]:
    """The base64 field as (count, columns), or (count,) for one column; ValueError for bytes that do not fill it.

    It may be written as Python shows bytes, ``b'...'``.
    """
    if field[:2] in (b"b'", b'b"') and field[-1:] == field[1:2]:
        field = field[2:-1]
    try:
        decoded = binascii.a2b_base64(field, strict_mode=True)
    except binascii.Error as error:
        raise ValueError(
            f"{name} is not base64 ({error}; {len(field)} characters, {field[:20]!r}...); the row is truncated or "
            "damaged. Fetch the file again."
        ) from error
    item = np.dtype(dtype).itemsize
    if not count and not decoded:
        return np.empty(0, dtype)
    if not count or not decoded or len(decoded) % (item * count):
        raise ValueError(
            f"{name} has {len(decoded)} bytes, which {count} boxes of {item}-byte {dtype} do not fill; num_boxes is "
            "wrong, the numbers have another type, or the row is truncated. Fetch the file again."
        )
    values = np.frombuffer(decoded, dtype=dtype).reshape(count, -1)
    return values[:, 0] if values.shape[1] == 1 else values


def _read(path: Path, columns: tuple[str, ...]) -> Iterator[PublishedImage]:
    for number, fields in rows(path):
        place = f"{path}, row {number}"
        image = text_of(fields[0], place=place)
        if len(fields) != len(columns):
            raise ValueError(
                f"{place}, image {image[:80]!r}: {len(fields)} fields, but a row has {len(columns)}: "
                f"{', '.join(columns)}. The row is truncated or the file has another format; fetch it again."
            )
        named = dict(zip(columns, fields, strict=True))
        yield PublishedImage(image, path, f"row {number}", partial(_detections, named))


def _detections(fields: Mapping[str, bytes]) -> Detections:
    count = whole_number(fields["num_boxes"], name="num_boxes", least=0)
    has_classes = "objects_id" in fields
    return Detections(
        features=array_of(fields["features"], name="features", count=count, dtype="<f4"),
        boxes=array_of(fields["boxes"], name="boxes", count=count, dtype="<f4"),
        width=whole_number(fields["img_w"], name="img_w"),
        height=whole_number(fields["img_h"], name="img_h"),
        labels=array_of(fields["objects_id"], name="objects_id", count=count, dtype="<i8") if has_classes else None,
        confidences=(
            array_of(fields["objects_conf"], name="objects_conf", count=count, dtype="<f4") if has_classes else None
        ),
    )
