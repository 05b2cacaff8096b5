"""RegionStore: the regions of many images in memory-mapped arrays; a lookup is a slice."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reranksmart.files.reading import reading
from reranksmart.files.writing import atomic_directory


@dataclass(frozen=True)
class Regions:
    """The regions of one image: features (R, F) float16, boxes (R, 4) float32 as x1 y1 x2 y2 in [0, 1].

    ``labels`` (R,) int32 index the store's ``label_names``; ``confidences`` (R,) float32 are the detector's.
    """

    features: NDArray[np.float16]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int32]
    confidences: NDArray[np.float32]


@dataclass(frozen=True)
class RegionStore:
    """Regions of N images, one after the other: image n owns the rows ``offsets[n]:offsets[n + 1]``.

    ``tags`` (N,) are the names of each image's objects as one text, where they were published so; else there are none.
    """

    image_ids: tuple[str, ...]
    offsets: NDArray[np.int64]
    features: NDArray[np.float16]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int32]
    confidences: NDArray[np.float32]
    label_names: tuple[str, ...] = field(repr=False, default=())
    tags: tuple[str, ...] = field(repr=False, default=())

    def __post_init__(self) -> None:
        rows = len(self.features)
        if len(self.offsets) != len(self.image_ids) + 1 or self.offsets[0] != 0 or self.offsets[-1] != rows:
            raise ValueError(f"offsets must run from 0 to {rows} in {len(self.image_ids) + 1} steps")
        if (np.diff(self.offsets) < 1).any():
            empty = self.image_ids[int((np.diff(self.offsets) < 1).argmax())]
            raise ValueError(f"image {empty!r} has no region; give the whole image as its one region")
        if self.boxes.shape[1:] != (4,):
            raise ValueError(f"boxes have shape {self.boxes.shape}; they must be (regions, 4)")
        if not rows == len(self.boxes) == len(self.labels) == len(self.confidences):
            raise ValueError("features, boxes, labels and confidences differ in length")
        if len(set(self.image_ids)) != len(self.image_ids):
            raise ValueError("image ids of a region store must be unique")
        if self.tags and len(self.tags) != len(self.image_ids):
            raise ValueError(
                f"{len(self.image_ids)} images have {len(self.tags)} texts of tags; each has one, or none has"
            )

    def __len__(self) -> int:
        return len(self.image_ids)

    @cached_property
    def row_by_id(self) -> dict[str, int]:
        return {image_id: row for row, image_id in enumerate(self.image_ids)}

    @property
    def feature_size(self) -> int:
        return self.features.shape[1]

    @property
    def counts(self) -> NDArray[np.int64]:
        """The number of regions of each image (N,)."""
        return np.diff(self.offsets)

    @property
    def bytes_per_image(self) -> float:
        """What one image takes on disk, on average."""
        return sum(getattr(self, name).nbytes for name in _ARRAYS) / len(self)

    def rows_of(self, image_ids: Iterable[str]) -> NDArray[np.int64]:
        """The row of each image; KeyError with the first id that has no regions."""
        try:
            return np.array([self.row_by_id[image_id] for image_id in image_ids], dtype=np.int64)
        except KeyError as missing:
            raise KeyError(
                f"image {missing.args[0]!r} has no regions here ({len(self)} images have); "
                "extract its region features first, or remove its captions"
            ) from None

    def __getitem__(self, row: int) -> Regions:
        span = slice(self.offsets[row], self.offsets[row + 1])
        return Regions(self.features[span], self.boxes[span], self.labels[span], self.confidences[span])

    @property
    def names_objects(self) -> bool:
        """Whether the objects of every image have names."""
        return bool(self.tags) or (bool(self.label_names) and not (np.asarray(self.labels) < 0).any())

    def object_tags(self) -> list[str]:
        """The names of each image's objects as one text (N,): the published tags, else the names of its regions in order.

        ValueError where there are neither.
        """
        if self.tags:
            return list(self.tags)
        if not self.names_objects:
            raise ValueError(
                "object tags are asked for, but these regions name no objects; give the detector's label file (labels) or "
                "the file of tags (tags) with the region features, or set object_tags to false"
            )
        labels = np.asarray(self.labels)
        return [
            " ".join(self.label_names[label] for label in labels[start:stop])
            for start, stop in pairwise(self.offsets.tolist())
        ]

    def __iter__(self) -> Iterator[Regions]:
        return (self[row] for row in range(len(self)))

    @staticmethod
    def from_regions(
        image_ids: Sequence[str], regions: Sequence[Regions], label_names: Sequence[str], tags: Sequence[str] = ()
    ) -> RegionStore:
        """One store from the regions of each image, checked: boxes inside [0, 1], finite features."""
        for image_id, found in zip(image_ids, regions, strict=True):
            if not ((found.boxes >= 0) & (found.boxes <= 1)).all():
                raise ValueError(f"image {image_id!r} has a box outside [0, 1]: {found.boxes.tolist()}")
            if not np.isfinite(found.features).all():
                raise ValueError(f"image {image_id!r} has a region feature that is not finite in float16")
        counts = [len(found.boxes) for found in regions]
        return RegionStore(
            image_ids=tuple(image_ids),
            offsets=np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64),
            features=np.concatenate([found.features for found in regions]).astype(np.float16),
            boxes=np.concatenate([found.boxes for found in regions]).astype(np.float32),
            labels=np.concatenate([found.labels for found in regions]).astype(np.int32),
            confidences=np.concatenate([found.confidences for found in regions]).astype(np.float32),
            label_names=tuple(label_names),
            tags=tuple(tags),
        )

    @staticmethod
    def concatenated(stores: Sequence[RegionStore]) -> RegionStore:
        """The images of several stores in one; where their label names differ, no label is kept (-1).

        Where their tags or label names differ, each keeps its objects' names as tags, if all have some.
        """
        if len(stores) == 1:
            return stores[0]
        if len(sizes := sorted({store.feature_size for store in stores})) != 1:
            raise ValueError(
                f"regions with features of {sizes} columns are of different detectors and cannot stand in one gallery; "
                "use region features of one detector for all of its datasets."
            )
        names = {store.label_names for store in stores}
        tagged = (len(names) > 1 or any(store.tags for store in stores)) and all(
            store.names_objects for store in stores
        )
        starts = np.cumsum([0] + [len(store.features) for store in stores])
        offsets = [store.offsets[:-1] + start for store, start in zip(stores, starts, strict=False)]
        return RegionStore(
            image_ids=tuple(image_id for store in stores for image_id in store.image_ids),
            offsets=np.concatenate([*offsets, starts[-1:]]),
            features=np.concatenate([store.features for store in stores]),
            boxes=np.concatenate([store.boxes for store in stores]),
            labels=np.concatenate(
                [store.labels if len(names) == 1 else np.full_like(store.labels, -1) for store in stores]
            ),
            confidences=np.concatenate([store.confidences for store in stores]),
            label_names=stores[0].label_names if len(names) == 1 else (),
            tags=tuple(tags for store in stores for tags in store.object_tags()) if tagged else (),
        )

    def take(self, rows: Iterable[int]) -> RegionStore:
        """A store of only these images, in this order, in memory."""
        rows = list(rows)
        found = [self[row] for row in rows]
        tags = [self.tags[row] for row in rows] if self.tags else ()
        return RegionStore.from_regions([self.image_ids[row] for row in rows], found, self.label_names, tags)

    def save(self, folder: Path) -> None:
        """Writes the store as a folder of plain ``.npy`` files and one JSON file; all of it or nothing."""
        with atomic_directory(folder) as target:
            for name in ("offsets", "features", "boxes", "labels", "confidences"):
                np.save(target / f"{name}.npy", getattr(self, name))
            write_region_index(target, self.image_ids, self.label_names, self.tags)

    @staticmethod
    def open(folder: Path) -> RegionStore:
        """The store in ``folder``, memory-mapped."""
        with reading(folder, remedy="Delete the folder; the rule that extracted these regions makes it again."):
            index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
            arrays = {name: _mapped(folder / f"{name}.npy", *kind) for name, kind in _ARRAYS.items()}
            return RegionStore(
                image_ids=_all_texts(index["image_ids"]),
                label_names=_all_texts(index["label_names"]),
                tags=_all_texts(index.get("tags", [])),
                **arrays,
            )


def write_region_index(
    folder: Path, image_ids: Sequence[str], label_names: Sequence[str], tags: Sequence[str] = ()
) -> None:
    """Writes what of a store in ``folder`` is text."""
    index = {"image_ids": list(image_ids), "label_names": list(label_names), **({"tags": list(tags)} if tags else {})}
    (folder / "index.json").write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")


_ARRAYS: dict[str, tuple[type[np.generic], int]] = {
    "offsets": (np.int64, 1),
    "features": (np.float16, 2),
    "boxes": (np.float32, 2),
    "labels": (np.int32, 1),
    "confidences": (np.float32, 1),
}
"""Dtype and number of axes of each array."""


def _mapped(path: Path, dtype: type[np.generic], axes: int) -> NDArray[Any]:
    array = np.lib.format.open_memmap(path, mode="r")
    if array.dtype != dtype or array.ndim != axes:
        raise ValueError(f"{path.name} is {array.dtype} {array.shape}; it must be {dtype.__name__} with {axes} axes")
    return array


def _all_texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError(f"index.json has {str(value)[:80]} where a list of texts must be")
    return tuple(value)
