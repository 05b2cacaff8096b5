"""Pictures -> RegionStore: proposals, then features of each, for a shard of images."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from reranksmart.files.photographs import read_photograph
from reranksmart.files.region_store import WHOLE_IMAGE, Regions, RegionStore
from reranksmart.regions.detectors.efficientnet import crop, label_names, load_efficientnet, recognise
from reranksmart.regions.detectors.selective_search import MOST_REGIONS, intersection_over_union, propose_boxes
from reranksmart.run.progress import progress

_LEAST_OVERLAP = 0.5
_IMAGES_AT_ONCE = 64  # their crops are recognised together, so that few batches are part empty


def detect_regions(
    images: Sequence[tuple[str, Path]], *, at_most: int = MOST_REGIONS, network: nn.Module | None = None
) -> RegionStore:
    """What ``find_regions`` finds in all of the images, in memory; labels are ImageNet's."""
    ids, regions = zip(*find_regions(images, at_most=at_most, network=network), strict=True)
    return RegionStore.from_regions(ids, regions, label_names())


def find_regions(
    images: Sequence[tuple[str, Path]], *, at_most: int = MOST_REGIONS, network: nn.Module | None = None
) -> Iterator[tuple[str, Regions]]:
    """The id and the regions of each (image id, path), likeliest object first; features are raw.

    A picture in which nothing is found has itself as its one region. ``network`` is ``load_efficientnet()``'s, which
    is loaded if None. Raises as ``read_photograph`` does.
    """
    if not images:
        raise ValueError("a shard of regions needs at least one image; make fewer shards than there are images.")
    network = network if network is not None else load_efficientnet()
    ids: list[str] = []
    boxes: list[NDArray[np.float32]] = []
    crops: list[NDArray[np.uint8]] = []
    for number, (image_id, path) in enumerate(progress(images, what="regions", total=len(images)), start=1):
        ids.append(image_id)
        picture = read_photograph(path)
        proposed = propose_boxes(picture, at_most=at_most)
        boxes.append(proposed if len(proposed) else WHOLE_IMAGE)
        crops += [crop(picture, box) for box in boxes[-1]]
        if len(boxes) == _IMAGES_AT_ONCE or number == len(images):
            yield from zip(ids, _recognised(network, boxes, np.stack(crops)), strict=True)
            ids, boxes, crops = [], [], []


def _recognised(network: nn.Module, boxes: Sequence[NDArray[np.float32]], crops: NDArray[np.uint8]) -> list[Regions]:
    seen = recognise(network, crops)
    features = seen.features.astype(np.float16)
    ends = np.cumsum([len(found) for found in boxes]).tolist()
    spans = [slice(end - len(found), end) for end, found in zip(ends, boxes, strict=True)]
    return [
        Regions(features[span], found, seen.labels[span], seen.confidences[span])
        for span, found in zip(spans, boxes, strict=True)
    ]


def object_recall(store: RegionStore, objects: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """How well regions cover true objects: ``objects`` maps image ids to boxes (N, 4), x1 y1 x2 y2 in [0, 1].

    ``recall`` is the share of objects that some region of their image overlaps by half (IoU) or more,
    ``images``, ``objects`` and ``whole_images`` (nothing was found) are counts, ``regions_per_image`` is a mean.
    """
    rows = store.rows_of(objects)
    best = [
        intersection_over_union(boxes, store[row].boxes).max(axis=1)
        for row, boxes in zip(rows.tolist(), objects.values(), strict=True)
    ]
    overlaps = np.concatenate(best)
    whole = [bool(np.array_equal(store[row].boxes, WHOLE_IMAGE)) for row in rows.tolist()]
    return {
        "recall": float((overlaps >= _LEAST_OVERLAP).mean()),
        "images": len(rows),
        "objects": len(overlaps),
        "regions_per_image": float(store.lengths[rows].mean()),
        "most_regions": int(store.lengths[rows].max()),
        "whole_images": sum(whole),
    }
