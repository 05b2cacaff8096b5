"""Folders with one file an image, named by the image's id: ``.npz``, ``.pt``, and VOLTA's pairs of ``.npy``.

* ``.npz`` of bottom-up-attention.pytorch: x, bbox, num_bbox, image_h, image_w.
* ``.pt`` of the paper's M3P extractor: features, boxes, num_boxes, objects, cls_prob, img_w, img_h.
* ``.npy`` of VOLTA and IGLUE (ResNeXt-101): ``{id}.npy`` features, ``{id}_info.npy`` a dict with bbox, num_boxes,
  objects, cls_prob, image_width, image_height.

The extractor of the last two counts in num_boxes only regions of some confidence, and saves more; all saved ones are
read, as the paper's code does.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reranksmart.regions.formats.images import Detections, PublishedImage, decoding, open_published
from reranksmart.regions.formats.pickles import plain, read_pickled_npy
from reranksmart.regions.formats.torch_files import open_torch_file

_INFO = "_info.npy"
_MOST_BYTES_PER_IMAGE = 64 * 2**20  # a hundred regions of 2048 doubles are 1.6 MB


def read_npz_folder(folder: Path) -> Iterator[PublishedImage]:
    """The images of a folder of ``.npz`` files, in the order of their names."""
    return _read(folder, ".npz", _npz_detections)


def read_pt_folder(folder: Path) -> Iterator[PublishedImage]:
    """The images of a folder of ``.pt`` files, in the order of their names."""
    return _read(folder, ".pt", _pt_detections)


def read_npy_folder(folder: Path) -> Iterator[PublishedImage]:
    """The images of a folder of VOLTA's ``.npy`` files, also below it: the id is the path without its ending."""
    files = sorted(folder.rglob("*.npy"))
    arrays = [path for path in files if not path.name.endswith(_INFO)]
    if not arrays:
        raise ValueError(f"{folder} holds no .npy file of features; give the folder that the archive unpacks to.")
    lonely = {_info_of(path) for path in arrays}.symmetric_difference(set(files) - set(arrays))
    if lonely:
        raise ValueError(
            f"{folder}: each {{id}}.npy needs its {{id}}{_INFO} and the other way round, but {min(lonely)} is missing "
            "or has no features beside it. Unpack the archive again."
        )
    for path in arrays:
        yield PublishedImage(
            path.relative_to(folder).with_suffix("").as_posix(), path, "", partial(_npy_detections, path)
        )


def _read(folder: Path, suffix: str, detections: Callable[[Path], Detections]) -> Iterator[PublishedImage]:
    paths = sorted(path for path in folder.iterdir() if path.suffix == suffix)
    if not paths:
        raise ValueError(f"{folder} holds no {suffix} file; give the folder that the archive unpacks to.")
    for path in paths:
        yield PublishedImage(path.stem, path, "", partial(detections, path))


def _npz_detections(path: Path) -> Detections:
    with open_published(path) as file, decoding("the archive"), np.load(file, allow_pickle=False) as arrays:
        keys = ("x", "bbox", "num_bbox", "image_h", "image_w")
        if (unpacked := sum(member.file_size for member in arrays.zip.infolist())) > _MOST_BYTES_PER_IMAGE:
            raise ValueError(f"it would unpack to {unpacked:,} bytes, more than {_MOST_BYTES_PER_IMAGE:,}")
        values = {key: np.asarray(arrays[key]) for key in keys if key in arrays.files}
    _require(values, keys)
    if _number(values, "num_bbox") != len(values["x"]):
        raise ValueError(f"num_bbox is {values['num_bbox']}, but x has shape {values['x'].shape}; extract it again.")
    return Detections(values["x"], values["bbox"], width=_number(values, "image_w"), height=_number(values, "image_h"))


def _pt_detections(path: Path) -> Detections:
    with open_torch_file(path) as file:
        value = file.value
        if not isinstance(value, dict):
            raise ValueError(f"it holds {type(value).__name__}, not a dict of one image; give the extractor's files.")
        values = {key: file.read(item) for key, item in value.items()}
    return _maskrcnn_detections(values, boxes="boxes", width="img_w", height="img_h")


def _npy_detections(path: Path) -> Detections:
    with open_published(path) as file, decoding("the array"):
        features = np.lib.format.read_array(file, allow_pickle=False)
    with open_published(_info_of(path)) as file, decoding(_info_of(path).name):
        info = {key: plain(item) for key, item in read_pickled_npy(file).items()}
    values = {**info, "features": features}
    return _maskrcnn_detections(values, boxes="bbox", width="image_width", height="image_height")


def _maskrcnn_detections(values: Mapping[str, Any], *, boxes: str, width: str, height: str) -> Detections:
    _require(values, ("features", boxes, "num_boxes", width, height))
    features = _array(values, "features")
    if not 0 <= _number(values, "num_boxes") <= len(features):
        raise ValueError(
            f"num_boxes is {values['num_boxes']}, but there are {len(features)} features; extract the image again."
        )
    if not len(features):
        return Detections(features, _array(values, boxes))
    has_classes = values.get("objects") is not None
    probabilities = _array(values, "cls_prob") if values.get("cls_prob") is not None else None
    if probabilities is not None and (probabilities.ndim != 2 or not probabilities.shape[1]):
        raise ValueError(f"cls_prob has shape {probabilities.shape}, not (regions, classes); extract the image again.")
    return Detections(
        features,
        _array(values, boxes),
        width=_number(values, width),
        height=_number(values, height),
        labels=_array(values, "objects") if has_classes else None,
        confidences=probabilities.max(axis=1) if probabilities is not None else None,
    )


def _info_of(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".npy") + _INFO)


def _require(values: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    missing = [key for key in keys if key not in values]
    if missing:
        raise ValueError(f"{missing} missing; a file of this format has {list(keys)}. Extract the image again.")


def _array(values: Mapping[str, Any], key: str) -> NDArray[Any]:
    if not isinstance(values[key], np.ndarray) or not values[key].ndim:
        raise ValueError(f"{key} is {type(values[key]).__name__}, not an array of regions; extract the image again.")
    return values[key]


def _number(values: Mapping[str, Any], key: str) -> float:
    value = values[key]
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf":
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} is {str(value)[:40]!r}, not one number; extract the image again.")
    return value
