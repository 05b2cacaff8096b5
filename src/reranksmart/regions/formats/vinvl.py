"""VinVL files: rows of image id, number of boxes and base64 features with boxes; classes in a file beside them.

The features have 2048 + 6 columns: the feature, x1 y1 x2 y2 divided by the image's size, width and height. Retrieval
and pre-training files have the three fields; captioning files have two, the second ``{"num_boxes", "features"}`` in
JSON. Classes are the ``predictions.tsv`` or ``label.tsv`` of the same images: id and JSON, either a list of objects or
``{"objects": [...]}``, each with ``class`` and ``conf``. Source: github.com/microsoft/Oscar, run_retrieval.py,
run_captioning.py and oscar_tsv.py.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reranksmart.regions.formats.images import Detections, PublishedImage
from reranksmart.regions.formats.oscar import split_geometry
from reranksmart.regions.formats.tsv import array_of, rows, text_of, whole_number


@dataclass(frozen=True)
class VinvlLabels:
    """The classes of each image's regions: ``names`` of all classes, and per image their numbers and confidences.

    Two numbers a region are kept, nothing of the JSON.
    """

    names: tuple[str, ...]
    by_image: Mapping[str, tuple[NDArray[np.int32], NDArray[np.float32]]]

    @staticmethod
    def read(path: Path) -> "VinvlLabels":
        """The labels of a file; ValueError names the row and image that cannot be read or occur twice."""
        numbers: dict[str, int] = {}
        by_image: dict[str, tuple[NDArray[np.int32], NDArray[np.float32]]] = {}
        for row, fields in rows(path):
            image = text_of(fields[0], place=f"{path}, row {row}")
            place = f"{path}, row {row}, image {image!r}"
            if image in by_image:
                raise ValueError(f"{place}: the image has labels already; ids must be unique. Remove one of the rows.")
            try:
                objects = _objects(json.loads(fields[-1]))
                labels = [numbers.setdefault(found["class"], len(numbers)) for found in objects]
                confidences = [float(found["conf"]) for found in objects]
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise ValueError(
                    f"{place}: not a list of objects with class and conf in JSON ({type(error).__name__}: {error}). "
                    "The row is truncated or the file has another format; fetch it again."
                ) from error
            by_image[image] = np.array(labels, dtype=np.int32), np.array(confidences, dtype=np.float32)
        return VinvlLabels(tuple(numbers), by_image)


def _objects(value: Any) -> Sequence[Mapping[str, Any]]:
    found = value["objects"] if isinstance(value, dict) else value
    if not isinstance(found, list) or not all(isinstance(item["class"], str) for item in found):
        raise TypeError(f"got {str(found)[:80]}")
    return found


def read_vinvl_tsv(path: Path, labels: VinvlLabels | None = None) -> Iterator[PublishedImage]:
    """The images of a VinVL feature file, with classes if ``labels`` are given (their names are ``labels.names``)."""
    for number, fields in rows(path):
        image = text_of(fields[0], place=f"{path}, row {number}")
        yield PublishedImage(image, path, f"row {number}", partial(_detections, image, fields, labels))


def _detections(image: str, fields: Sequence[bytes], labels: VinvlLabels | None) -> Detections:
    if len(fields) == 3:
        boxes, encoded = fields[1].strip(), fields[2].strip()
    elif len(fields) == 2:
        boxes, encoded = _from_json(fields[1])
    else:
        raise ValueError(
            f"{len(fields)} fields, but a row has img_id, num_boxes and features, or img_id and JSON. The row is "
            "truncated or the file has another format; fetch it again."
        )
    count = whole_number(boxes, name="num_boxes", least=0)
    found = split_geometry(array_of(encoded, name="features", count=count, dtype="<f4"))
    if labels is None or not count:
        return found
    if image not in labels.by_image:
        raise ValueError("the label file has no row of this image; give the label file of the same detector run.")
    numbers, confidences = labels.by_image[image]
    return Detections(found.features, found.boxes, labels=numbers, confidences=confidences)


def _from_json(field: bytes) -> tuple[bytes, bytes]:
    try:
        value = json.loads(field)
        return str(value["num_boxes"]).encode(), value["features"].encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"the second field is not JSON with num_boxes and features ({type(error).__name__}: {error}). The row is "
            "truncated or the file has another format; fetch it again."
        ) from error
