"""Published regions -> RegionStore on disk, one image at a time, in memory for one image."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from reranksmart.files.growing_arrays import GrowingArray
from reranksmart.files.region_store import Regions, RegionStore, write_region_index
from reranksmart.files.writing import atomic_directory
from reranksmart.regions.formats.images import FEATURE_SIZE, PublishedImage, at_place, regions_of


class RegionStoreWriter:
    """A region store on its way to disk: ``append`` each image; memory holds only ids and offsets."""

    def __init__(self, folder: Path, label_names: Sequence[str], tags: Mapping[str, str]) -> None:
        self._folder = folder
        self._label_names = tuple(label_names)
        self._tags = tags
        self._offsets = [0]
        self._image_ids: dict[str, None] = {}
        self._arrays: dict[str, GrowingArray] = {}

    def __len__(self) -> int:
        return len(self._image_ids)

    def append(self, image_id: str, regions: Regions) -> None:
        """Adds an image; ValueError where the store would not be valid with it."""
        count = len(regions.features)
        if image_id in self._image_ids:
            raise ValueError(f"image id {image_id!r} is in the store already; ids must be unique.")
        if not count or not count == len(regions.boxes) == len(regions.labels) == len(regions.confidences):
            raise ValueError(
                f"image {image_id!r} has {count} features, {len(regions.boxes)} boxes, {len(regions.labels)} labels and "
                f"{len(regions.confidences)} confidences; each region has one of each, and there is at least one."
            )
        if regions.features.ndim != 2 or regions.boxes.shape[1:] != (4,):
            raise ValueError(
                f"image {image_id!r} has features {regions.features.shape} and boxes {regions.boxes.shape}; "
                "they must be (regions, size) and (regions, 4)."
            )
        if not ((regions.boxes >= 0) & (regions.boxes <= 1)).all():
            raise ValueError(f"image {image_id!r} has a box outside [0, 1]: {regions.boxes.tolist()}")
        if regions.features.dtype != np.float16 or not np.isfinite(regions.features).all():
            raise ValueError(
                f"image {image_id!r} has a region feature that is not finite in float16 ({regions.features.dtype})"
            )
        if self._label_names and not (regions.labels < len(self._label_names)).all():
            raise ValueError(
                f"image {image_id!r} has label {regions.labels.max()}, but there are {len(self._label_names)} label "
                "names; give the names of the detector that made these regions."
            )
        if not self._arrays:
            self._open(feature_size=regions.features.shape[1])
        if regions.features.shape[1:] != self._arrays["features"].row_shape:
            raise ValueError(
                f"image {image_id!r} has features of size {regions.features.shape[1]}, those before it "
                f"{self._arrays['features'].row_shape[0]}; a store holds the features of one detector."
            )
        for name, array in self._arrays.items():
            array.append(getattr(regions, name))
        self._image_ids[image_id] = None
        self._offsets.append(self._offsets[-1] + count)

    def extend(self, images: Iterable[tuple[str, Regions]]) -> None:
        """Adds images as they come: (image id, regions)."""
        for image_id, regions in images:
            self.append(image_id, regions)

    def _open(self, *, feature_size: int) -> None:
        columns: dict[str, tuple[DTypeLike, tuple[int, ...]]] = {
            "features": (np.float16, (feature_size,)),
            "boxes": (np.float32, (4,)),
            "labels": (np.int32, ()),
            "confidences": (np.float32, ()),
        }
        for name, (dtype, row_shape) in columns.items():
            self._arrays[name] = GrowingArray(self._folder / f"{name}.npy", dtype, row_shape)

    def finish(self) -> None:
        if not self._image_ids:
            raise ValueError("no image was found, and a region store holds at least one; check path and format.")
        for array in self._arrays.values():
            array.finish()
        np.save(self._folder / "offsets.npy", np.array(self._offsets, dtype=np.int64))
        tags = [self._tags[image_id] for image_id in self._image_ids] if self._tags else ()
        write_region_index(self._folder, list(self._image_ids), self._label_names, tags)

    def close(self) -> None:
        for array in self._arrays.values():
            array.file.close()


@contextmanager
def writing_regions(
    folder: Path, *, label_names: Sequence[str] = (), tags: Mapping[str, str] | None = None
) -> Iterator[RegionStoreWriter]:
    """A writer whose store stands at ``folder`` when the block ends well; after an error nothing of it is left."""
    with atomic_directory(folder) as target:
        writer = RegionStoreWriter(target, label_names, tags or {})
        try:
            yield writer
            writer.finish()
        finally:
            writer.close()


def convert_regions(
    images: Iterable[PublishedImage],
    folder: Path,
    *,
    image_id: Callable[[str], str],
    label_names: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
    wanted: Collection[str] | None = None,
    feature_size: int = FEATURE_SIZE,
) -> RegionStore:
    """The images of published files as the store in ``folder``, opened; all of it or nothing.

    ``image_id`` makes the store's id of a published one (``"391895"`` -> ``"coco/391895"``); ``tags`` are the object tags
    of all images by the store's id. With ``wanted`` (ids of
    the store) other images are left out undecoded. Several files are read as one by ``itertools.chain``.

    ValueError with file, row and id where an image is broken or its id occurs twice, and with the ids where wanted
    images are missing.
    """
    places: dict[str, str] = {}
    folders: set[Path] = set()
    unseen = None if wanted is None else set(wanted)
    with writing_regions(folder, label_names=label_names, tags=tags) as writer:
        for image in images:
            with at_place(f"{image.place}, image {image.id!r}"):
                name = image_id(image.id)
                if name in places:
                    raise ValueError(
                        f"image id {name!r} occurs a second time, first in {places[name]}; ids must be unique. "
                        "Remove one of the two."
                    )
                places[name] = image.place
                folders.add(image.path.parent)
                if unseen is not None:
                    if name not in unseen:
                        continue
                    unseen.remove(name)
                writer.append(name, regions_of(image.detections(), feature_size=feature_size))
        if unseen:
            missing = sorted(unseen)
            raise ValueError(
                f"{len(missing)} wanted images are missing from the {len(places)} in {', '.join(sorted(map(str, folders)))}, "
                f"as {missing[:5]}. Give the files that hold them, or leave their captions out."
            )
    return RegionStore.open(folder)
