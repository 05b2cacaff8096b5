"""What a published file says about an image, and its regions once that is checked and in a store's units."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reranksmart.files.reading import reading, require_fetched
from reranksmart.files.region_store import WHOLE_IMAGE, Regions

FEATURE_SIZE = 2048
"""Columns of a bottom-up-attention, OSCAR, VinVL or M3P feature."""

UNKNOWN_LABEL = -1
"""The label of a region whose file names no class; its confidence is NaN where the file has none."""

MOST_OUTSIDE_PIXELS = 1.0
MOST_OUTSIDE_SHARE = 1 / 200
"""Rounding lets a box stick out of its image by a pixel, but by no more than this share of the image's side."""


@dataclass(frozen=True)
class Detections:
    """The regions of one image as a file has them, unchecked.

    ``features`` (R, F) float; ``boxes`` (R, 4) float as x1 y1 x2 y2 in the unit of ``width`` and ``height``: pixels, or
    1 and 1 where the file has divided its boxes already. ``labels`` (R,) are numbers of classes.
    """

    features: NDArray[Any]
    boxes: NDArray[Any]
    width: float = 1
    height: float = 1
    labels: NDArray[Any] | None = None
    confidences: NDArray[Any] | None = None


@dataclass(frozen=True)
class PublishedImage:
    """One image of a published file: its id there, where it stands, and how to decode it.

    ``detections`` is called while the reader stands at this image, and not at all for images that nobody wants. It
    raises ValueError without the place, which ``at_place`` adds.
    """

    id: str
    path: Path
    row: str
    detections: Callable[[], Detections]

    @property
    def place(self) -> str:
        return f"{self.path}, {self.row}" if self.row else f"{self.path}"


def open_published(path: Path) -> BufferedReader:
    """The file open for reading; raises as ``reading`` does where it is missing or was not fetched."""
    with reading(path, remedy="Fetch it again, or give the path where it is."):
        require_fetched(path)
        return path.open("rb")


@contextmanager
def at_place(place: str) -> Iterator[None]:
    """ValueErrors from inside, with the place in front."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


@contextmanager
def decoding(what: str) -> Iterator[None]:
    """Any error from inside as a ValueError: parsers raise nearly every type on a broken file."""
    try:
        yield
    except Exception as error:
        raise ValueError(
            f"{what} cannot be read ({type(error).__name__}: {error}). It is truncated, damaged or of another format; "
            "compare its checksum and fetch it again."
        ) from error


def regions_of(found: Detections, *, feature_size: int = FEATURE_SIZE, feature_type: str = "float16") -> Regions:
    """The detections as regions: features of a type, boxes in [0, 1]; ValueError names the first fault.

    Where there are none the whole image is the one region, with features of 0: what it looks like is not in the file.

    A box may leave the image by one pixel, or by 1/200 of a side below 200 pixels, and is clipped; a box beyond that
    is an error.
    """
    features, boxes = found.features, found.boxes
    if features.ndim and not len(features) and not len(boxes):
        nothing = np.zeros((1, feature_size), feature_type)
        return Regions(nothing, WHOLE_IMAGE, np.full(1, UNKNOWN_LABEL, np.int32), np.full(1, np.nan, np.float32))
    if features.ndim != 2 or features.dtype.kind != "f" or features.shape[1] != feature_size:
        raise ValueError(
            f"features are {features.dtype} {features.shape}; they must be floats of shape (regions, {feature_size}). "
            "Set feature_size to theirs, or extract the image again."
        )
    count = len(features)
    if boxes.shape != (count, 4) or boxes.dtype.kind != "f":
        raise ValueError(f"boxes are {boxes.dtype} {boxes.shape}; {count} features need floats of shape ({count}, 4).")
    with np.errstate(over="ignore"):
        kept = features.astype(feature_type)
    if not np.isfinite(kept).all():
        row = int((~np.isfinite(kept)).any(axis=1).argmax())
        raise ValueError(f"feature {row} has a value that is not finite in {feature_type}; extract the image again.")
    labels = np.full(count, UNKNOWN_LABEL) if found.labels is None else found.labels
    confidences = np.full(count, np.nan, np.float32) if found.confidences is None else found.confidences
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise ValueError(f"labels are {labels.dtype} {labels.shape}; {count} regions need ({count},) integers.")
    if not ((labels >= UNKNOWN_LABEL) & (labels <= np.iinfo(np.int32).max)).all():
        raise ValueError(f"labels are {labels.tolist()}; they must be numbers of classes, from 0.")
    if confidences.shape != (count,) or confidences.dtype.kind != "f":
        raise ValueError(f"confidences are {confidences.dtype} {confidences.shape}; they must be floats ({count},).")
    if found.confidences is not None and not np.isfinite(confidences).all():
        raise ValueError("a confidence is not finite; extract the image again.")
    return Regions(
        features=kept,
        boxes=_unit_boxes(boxes.astype(np.float64), found.width, found.height),
        labels=labels.astype(np.int32),
        confidences=confidences.astype(np.float32),
    )


def _unit_boxes(boxes: NDArray[np.float64], width: float, height: float) -> NDArray[np.float32]:
    """Boxes (R, 4) divided by the image's size and clipped to [0, 1]."""
    if not (np.isfinite([width, height]).all() and width > 0 and height > 0):
        raise ValueError(f"the image's size is {width} x {height}; width and height must be positive.")
    size = np.array([width, height, width, height], dtype=np.float64)
    slack = np.minimum(MOST_OUTSIDE_PIXELS, size * MOST_OUTSIDE_SHARE)
    inside = (boxes >= -slack) & (boxes <= size + slack)  # False for NaN
    if not inside.all():
        row = int((~inside).any(axis=1).argmax())
        raise ValueError(
            f"box {row} is {boxes[row].tolist()} in an image of {width:g} x {height:g}; a box may leave its image by "
            f"{slack[0]:g} at most. Check the image's size and that boxes are x1 y1 x2 y2, or extract the image again."
        )
    turned = (boxes[:, :2] > boxes[:, 2:] + slack[:2]).any(axis=1)
    if turned.any():
        row = int(turned.argmax())
        raise ValueError(
            f"box {row} is {boxes[row].tolist()}, which ends before it begins; boxes are x1 y1 x2 y2, not "
            "x y width height. Convert or extract them again."
        )
    unit = np.clip(boxes / size, 0, 1).astype(np.float32)
    unit[:, 2:] = np.maximum(unit[:, :2], unit[:, 2:])
    return unit
