"""Published regions -> RegionStore on disk, one image at a time, in memory for one image."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from reranksmart.files.image_store import StoreWriter, write_index, writing_store
from reranksmart.files.region_store import Regions, RegionStore, region_index
from reranksmart.regions.formats.images import FEATURE_SIZE, PublishedImage, at_place, regions_of


class RegionWriter:
    """A region store on its way to disk, each image checked before it is added."""

    def __init__(self, writer: StoreWriter, label_names: Sequence[str]) -> None:
        self._writer, self._label_names = writer, label_names

    def append(self, image_id: str, regions: Regions) -> None:
        """Adds an image; ValueError where the store would not be valid with it."""
        count = len(regions.features)
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
        if regions.features.dtype not in (np.float16, np.float32) or not np.isfinite(regions.features).all():
            raise ValueError(
                f"image {image_id!r} has a region feature that is not finite in float16 or float32 "
                f"({regions.features.dtype})"
            )
        if self._label_names and not (regions.labels < len(self._label_names)).all():
            raise ValueError(
                f"image {image_id!r} has label {regions.labels.max()}, but there are {len(self._label_names)} label "
                "names; give the names of the detector that made these regions."
            )
        self._writer.append(image_id, vars(regions))

    def extend(self, images: Iterable[tuple[str, Regions]]) -> None:
        """Adds images as they come: (image id, regions)."""
        for image_id, regions in images:
            self.append(image_id, regions)


@contextmanager
def writing_regions(
    folder: Path, *, label_names: Sequence[str] = (), tags: Mapping[str, str] | None = None
) -> Iterator[RegionWriter]:
    """A writer whose store stands at ``folder`` when the block ends well; after an error nothing of it is left."""
    with writing_store(folder, RegionStore) as (target, writer):
        yield RegionWriter(writer, tuple(label_names))
        kept = [tags[image_id] for image_id in writer.image_ids] if tags else ()
        write_index(target, region_index(writer.image_ids, label_names, kept))


def convert_regions(
    images: Iterable[PublishedImage],
    folder: Path,
    *,
    image_id: Callable[[str], str],
    label_names: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
    wanted: Collection[str] | None = None,
    feature_size: int = FEATURE_SIZE,
    feature_type: str = "float16",
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
                writer.append(
                    name, regions_of(image.detections(), feature_size=feature_size, feature_type=feature_type)
                )
        if unseen:
            missing = sorted(unseen)
            raise ValueError(
                f"{len(missing)} wanted images are missing from the {len(places)} in {', '.join(sorted(map(str, folders)))}, "
                f"as {missing[:5]}. Give the files that hold them, or leave their captions out."
            )
    return RegionStore.open(folder)


def images_alone(store: RegionStore) -> list[str]:
    """The images without regions in published files: the whole of each stands for one, with features of 0."""
    single = np.flatnonzero(store.lengths == 1).tolist()
    return [store.image_ids[row] for row in single if not store[row].features.any()]
