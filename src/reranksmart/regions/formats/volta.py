"""VOLTA and IGLUE H5 files (36 boxes, ResNet-101): one group an image, named by its id.

A group has features (R, 2048), boxes (R, 4) in pixels, img_w, img_h, and classes obj_id (R,) and obj_conf (R,); attr_id
and attr_conf are not read. Source: github.com/e-bug/iglue, features_extraction.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from reranksmart.regions.formats.images import Detections, PublishedImage, decoding, open_published

_KEYS = ("features", "boxes", "img_w", "img_h")
_CLASS_KEYS = ("obj_id", "obj_conf")


def read_volta_h5(path: Path) -> Iterator[PublishedImage]:
    """The images of an H5 file, in the order of their ids."""
    open_published(path).close()  # a missing file is a FileNotFoundError, not a damaged one
    with decoding(str(path)):
        file = h5py.File(path, "r")
    with file:
        with decoding(str(path)):
            names = list(file)
            if not names:
                raise ValueError("it holds no group")
        for row, name in enumerate(names, start=1):
            yield PublishedImage(str(name), path, f"group {row}", partial(_detections, file, name))


def _detections(file: h5py.File, name: str) -> Detections:
    with decoding("the group"):
        group = file[name]
        values = {key: np.asarray(group[key][()]) for key in (*_KEYS, *_CLASS_KEYS) if key in group}
    missing = [key for key in _KEYS if key not in values]
    if missing:
        raise ValueError(f"{missing} missing; a group has {list(_KEYS)}. Fetch the file again.")
    return Detections(
        values["features"],
        values["boxes"],
        width=_number(values, "img_w"),
        height=_number(values, "img_h"),
        labels=values.get("obj_id"),
        confidences=values.get("obj_conf"),
    )


def _number(values: dict[str, NDArray[Any]], key: str) -> float:
    value = values[key]
    if value.size != 1 or value.dtype.kind not in "iuf":
        raise ValueError(f"{key} is {value.dtype} {value.shape}, not one number; fetch the file again.")
    return float(value.item())
