"""RegionStore: the regions of many images."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from reranksmart.files.image_store import ImageStore, all_texts
from reranksmart.values.ragged import offsets_of

_AGAIN = "Make its regions again, or give others."


@dataclass(frozen=True)
class Regions:
    """The regions of one image: features (R, F) float16 or float32, boxes (R, 4) float32 as x1 y1 x2 y2 in [0, 1].

    ``labels`` (R,) int32 index the store's ``label_names``; ``confidences`` (R,) float32 are the detector's.
    """

    features: NDArray[np.floating]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int32]
    confidences: NDArray[np.float32]


WHOLE_IMAGE = np.array([[0, 0, 1, 1]], dtype=np.float32)


@dataclass(frozen=True)
class RegionStore(ImageStore):
    """Regions of N images, one after the other: image n owns the rows ``offsets[n]:offsets[n + 1]``.

    ``tags`` (N,) are the names of each image's objects as one text, where they were published so; else there are none.
    """

    features: NDArray[np.floating]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int32]
    confidences: NDArray[np.float32]
    label_names: tuple[str, ...] = field(repr=False, default=())
    tags: tuple[str, ...] = field(repr=False, default=())

    per_row: ClassVar[tuple[str, ...]] = ("features", "boxes", "labels", "confidences")
    per_thing: ClassVar[tuple[str, ...]] = ("image_ids", "tags")
    kept: ClassVar[Mapping[str, tuple[type[np.generic], int]]] = {
        "features": (np.floating, 2),
        "boxes": (np.float32, 2),
        "labels": (np.int32, 1),
        "confidences": (np.float32, 1),
    }
    what = "regions"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.boxes.shape[1:] != (4,):
            raise ValueError(f"boxes have shape {self.boxes.shape}; they must be (regions, 4)")

    @property
    def index(self) -> dict[str, Any]:
        return region_index(self.image_ids, self.label_names, self.tags)

    @classmethod
    def texts_of(cls, index: dict[str, Any]) -> dict[str, Any]:
        return {
            "image_ids": all_texts(index["image_ids"]),
            "label_names": all_texts(index["label_names"]),
            "tags": all_texts(index.get("tags", [])),
        }

    @property
    def feature_size(self) -> int:
        return self.features.shape[1]

    def __getitem__(self, row: int) -> Regions:
        span = self.span(row)
        return Regions(self.features[span], self.boxes[span], self.labels[span], self.confidences[span])

    @property
    def names_objects(self) -> bool:
        """Whether the objects of every image have names; an image alone, without regions of its own, needs none."""
        unknown = np.flatnonzero(np.asarray(self.labels) < 0)
        alone = self.offsets[:-1][self.lengths == 1]
        named = bool(self.label_names) and len(unknown) < len(self.labels) and np.isin(unknown, alone).all()
        return bool(self.tags) or bool(named)

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
            " ".join(self.label_names[label] for label in labels[start:stop] if label >= 0)
            for start, stop in pairwise(self.offsets.tolist())
        ]

    def __iter__(self) -> Iterator[Regions]:
        return (self[row] for row in range(len(self)))

    @staticmethod
    def from_regions(
        image_ids: Sequence[str], regions: Sequence[Regions], label_names: Sequence[str], tags: Sequence[str] = ()
    ) -> "RegionStore":
        """One store from the regions of each image, checked: boxes inside [0, 1], finite features."""
        for image_id, found in zip(image_ids, regions, strict=True):
            if not ((found.boxes >= 0) & (found.boxes <= 1)).all():
                raise ValueError(f"image {image_id!r} has a box outside [0, 1]: {found.boxes.tolist()}. {_AGAIN}")
            if not np.isfinite(found.features).all():
                raise ValueError(f"image {image_id!r} has a region feature that is not finite in float16. {_AGAIN}")
        return RegionStore(
            image_ids=tuple(image_ids),
            offsets=offsets_of([len(found.boxes) for found in regions]),
            features=np.concatenate([found.features for found in regions]).astype(np.float16),
            boxes=np.concatenate([found.boxes for found in regions]).astype(np.float32),
            labels=np.concatenate([found.labels for found in regions]).astype(np.int32),
            confidences=np.concatenate([found.confidences for found in regions]).astype(np.float32),
            label_names=tuple(label_names),
            tags=tuple(tags),
        )

    @staticmethod
    def concatenated(stores: "Sequence[RegionStore]") -> "RegionStore":
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
        alike = len({store.label_names for store in stores}) == 1
        tagged = (not alike or any(store.tags for store in stores)) and all(store.names_objects for store in stores)
        first, *others = (
            replace(
                store,
                labels=store.labels if alike else np.full_like(store.labels, -1),
                label_names=store.label_names if alike else (),
                tags=tuple(store.object_tags()) if tagged else (),
            )
            for store in stores
        )
        return first.followed_by(others)


def region_index(image_ids: Sequence[str], label_names: Sequence[str], tags: Sequence[str] = ()) -> dict[str, Any]:
    """What of a store of regions is text."""
    return {"image_ids": list(image_ids), "label_names": list(label_names), **({"tags": list(tags)} if tags else {})}
