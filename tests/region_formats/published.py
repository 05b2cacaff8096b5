"""The same twelve images in every published format, written as the publishers' scripts write them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import torch
from numpy.typing import NDArray

from reranksmart.regions.formats.folders import read_npy_folder, read_npz_folder, read_pt_folder
from reranksmart.regions.formats.images import PublishedImage
from reranksmart.regions.formats.oscar import read_oscar_features
from reranksmart.regions.formats.tsv import read_bottom_up_tsv, read_lxmert_tsv
from reranksmart.regions.formats.vinvl import VinvlLabels, read_vinvl_tsv
from reranksmart.regions.formats.volta import read_volta_h5

FEATURE_SIZE = 8
CLASSES = ("dog", "tree", "tennis racket")


@dataclass(frozen=True)
class Picture:
    id: int
    width: int
    height: int
    features: NDArray[np.float32]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    confidences: NDArray[np.float32]

    @property
    def columns(self) -> NDArray[np.float32]:
        """Features, boxes divided by the size, width and height, as OSCAR and VinVL keep them."""
        unit = self.boxes / np.float32([self.width, self.height] * 2)
        return np.concatenate([self.features, unit, unit[:, 2:] - unit[:, :2]], axis=1)


def picture(number: int, *, seed: int = 0) -> Picture:
    rng = np.random.default_rng((seed, number))
    count = 1 + number % 4
    width, height = 640 - number, 480 + number
    corners = np.sort(rng.random((count, 2, 2)) * [width, height], axis=1).reshape(count, 4)
    probabilities = np.sort(rng.random(count))[::-1]
    return Picture(
        id=1000092795 + 13 * number,
        width=width,
        height=height,
        features=np.maximum(rng.standard_normal((count, FEATURE_SIZE)), 0).astype(np.float32),
        boxes=corners.astype(np.float32),
        labels=np.arange(count, dtype=np.int64) % len(CLASSES),
        confidences=probabilities.astype(np.float32),
    )


PICTURES = tuple(picture(number) for number in range(12))


def encoded(array: NDArray) -> str:
    return base64.b64encode(np.ascontiguousarray(array)).decode()


def write_rows(path: Path, rows: Sequence[Sequence[object]]) -> None:
    path.write_bytes("".join("\t".join(map(str, row)) + "\r\n" for row in rows).encode())


def bottom_up_row(image: Picture) -> list[object]:
    boxes, features = encoded(image.boxes), encoded(image.features)
    return [image.id, image.width, image.height, len(image.boxes), boxes, features]


def _bottom_up(folder: Path, images: Sequence[Picture]) -> Iterator[PublishedImage]:
    write_rows(folder / "features.tsv", [bottom_up_row(image) for image in images])
    return read_bottom_up_tsv(folder / "features.tsv")


def _lxmert(folder: Path, images: Sequence[Picture]) -> Iterator[PublishedImage]:
    rows = [
        [
            *(image.id, image.height, image.width, encoded(image.labels), encoded(image.confidences)),
            *(encoded(image.labels), encoded(image.confidences), len(image.boxes)),
            *(encoded(image.boxes), encoded(image.features)),
        ]
        for image in images
    ]
    write_rows(folder / "obj36.tsv", rows)
    return read_lxmert_tsv(folder / "obj36.tsv")


def _vinvl(folder: Path, images: Sequence[Picture]) -> Iterator[PublishedImage]:
    write_rows(folder / "features.tsv", [[image.id, len(image.boxes), encoded(image.columns)] for image in images])
    return read_vinvl_tsv(folder / "features.tsv", _vinvl_labels(folder / "predictions.tsv", images))


def _vinvl_captioning(folder: Path, images: Sequence[Picture]) -> Iterator[PublishedImage]:
    rows = [
        [image.id, json.dumps({"num_boxes": len(image.boxes), "features": encoded(image.columns)})] for image in images
    ]
    write_rows(folder / "test.feature.tsv", rows)
    return read_vinvl_tsv(folder / "test.feature.tsv", _vinvl_labels(folder / "test.label.tsv", images, listed=True))


def _vinvl_labels(path: Path, images: Sequence[Picture], *, listed: bool = False) -> VinvlLabels:
    rows = []
    for image in reversed(images):  # in an order of its own
        found = [
            {"class": CLASSES[label], "rect": box, "conf": float(confidence)}
            for label, box, confidence in zip(image.labels, image.boxes.tolist(), image.confidences, strict=True)
        ]
        value = found if listed else {"image_h": image.height, "image_w": image.width, "objects": found}
        rows.append([image.id, json.dumps(value)])
    write_rows(path, rows)
    return VinvlLabels.read(path)


def _oscar(folder: Path, images: Sequence[Picture], *, zipped: bool) -> Iterator[PublishedImage]:
    path = folder / "test_img_frcnn_feats.pt"
    tensors = {image.id: torch.from_numpy(image.columns) for image in images}
    torch.save(tensors, path, _use_new_zipfile_serialization=zipped)
    return read_oscar_features(path)


def _npz(folder: Path, images: Sequence[Picture]) -> Iterator[PublishedImage]:
    for image in images:
        np.savez_compressed(
            folder / f"{image.id}.npz",
            x=image.features,
            bbox=image.boxes,
            num_bbox=len(image.boxes),
            image_h=image.height,
            image_w=image.width,
            info=np.array({"objects": image.labels}, dtype=object),
        )
    return read_npz_folder(folder)


def _probabilities(image: Picture) -> NDArray[np.float32]:
    return np.concatenate([image.confidences[:, None], image.confidences[:, None] / 2], axis=1)


def _pt(folder: Path, images: Sequence[Picture]) -> Iterator[PublishedImage]:
    for image in images:
        value = {
            "features": image.features,
            "boxes": image.boxes,
            "num_boxes": max(0, len(image.boxes) - 1),  # the last region's confidence is below the extractor's least
            "objects": image.labels,
            "cls_prob": _probabilities(image),
            "img_w": image.width,
            "img_h": image.height,
        }
        torch.save(value, folder / f"{image.id}.pt", _use_new_zipfile_serialization=bool(image.id % 2))
    return read_pt_folder(folder)


def _npy(folder: Path, images: Sequence[Picture]) -> Iterator[PublishedImage]:
    for image in images:
        info = {
            "bbox": image.boxes,
            "num_boxes": len(image.boxes),
            "objects": image.labels,
            "cls_prob": _probabilities(image),
            "image_width": np.int64(image.width),
            "image_height": image.height,
        }
        np.save(folder / f"{image.id}.npy", image.features)
        np.save(folder / f"{image.id}_info.npy", info)
    return read_npy_folder(folder)


def _volta(folder: Path, images: Sequence[Picture]) -> Iterator[PublishedImage]:
    with h5py.File(folder / "test_boxes36.h5", "w") as file:
        for image in images:
            group = file.create_group(str(image.id))
            group["features"] = image.features
            group["obj_id"] = image.labels
            group["obj_conf"] = image.confidences
            group["attr_id"] = image.labels
            group["attr_conf"] = image.confidences
            group["boxes"] = image.boxes
            group["img_w"] = image.width
            group["img_h"] = image.height
    return read_volta_h5(folder / "test_boxes36.h5")


Publish = Callable[[Path, Sequence[Picture]], Iterator[PublishedImage]]

FORMATS: dict[str, Publish] = {
    "bottom-up": _bottom_up,
    "lxmert": _lxmert,
    "vinvl": _vinvl,
    "vinvl-captioning": _vinvl_captioning,
    "oscar": partial(_oscar, zipped=True),
    "oscar-2020": partial(_oscar, zipped=False),
    "npz": _npz,
    "pt": _pt,
    "npy": _npy,
    "volta": _volta,
}
WITHOUT_CLASSES = {"bottom-up", "oscar", "oscar-2020", "npz"}
WITHOUT_CONFIDENCES = WITHOUT_CLASSES
