"""Pixels and vision states of a store as batches, and the opening of whatever a model reads of images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reranksmart.datasets.prepared.layout import picture_path, read_image_ids
from reranksmart.files.image_store import INDEX_FILE
from reranksmart.files.picture_store import PictureStore
from reranksmart.files.region_store import RegionStore
from reranksmart.files.storage import read_json
from reranksmart.files.vision_store import VisionStore
from reranksmart.inputs.raw import PictureInputs
from reranksmart.inputs.stored import RegionInputs, StoredImages
from reranksmart.values.pixels import PixelBatch, VisionStates


@dataclass(frozen=True)
class _VisionInputs:
    store: VisionStore

    def __len__(self) -> int:
        return len(self.store)

    @property
    def lengths(self) -> NDArray[np.int64]:
        return self.store.lengths

    def first(self, count: int) -> Self:
        """Of the first images only."""
        return type(self)(self.store.first(count))

    def _rows(self, rows: Sequence[int] | NDArray[np.integer]) -> tuple[Tensor, Tensor]:
        """Values (B, N, F) float32, zero where padded, and their mask (B, N)."""
        columns, mask = self.store.columns(rows)
        values = self.store.rows[columns].astype(np.float32)
        values[~mask] = 0
        return torch.from_numpy(values), torch.from_numpy(mask)


@dataclass(frozen=True)
class PixelInputs(_VisionInputs):
    """Processed pictures; an image's length is the number of its patches."""

    def batch(self, rows: Sequence[int] | NDArray[np.integer]) -> PixelBatch:
        grids = torch.from_numpy(self.store.grids[np.asarray(rows)].astype(np.int64))
        return PixelBatch(*self._rows(rows), grids)


@dataclass(frozen=True)
class StateInputs(_VisionInputs):
    """States that one model's vision tower made of each image; an image's length is their number."""

    def batch(self, rows: Sequence[int] | NDArray[np.integer]) -> VisionStates:
        return VisionStates(*self._rows(rows))


Store = RegionStore | VisionStore | PictureStore


def open_store(folder: Path) -> Store:
    """The store in a folder, memory-mapped, whatever it keeps of images; of a prepared split its pictures."""
    if not (folder / INDEX_FILE).is_file() and (folder / "captions.jsonl").is_file():
        image_ids = read_image_ids(folder)
        return PictureStore(tuple(image_ids), tuple(picture_path(folder, image_id) for image_id in image_ids))
    kinds: dict[str, type[Store]] = {"regions": RegionStore, "pictures": PictureStore}
    return kinds.get(read_json(folder / INDEX_FILE).get("kind", "regions"), VisionStore).open(folder)


def inputs_of(store: Store, *, read_by: Path, tag_tokens: int = 0) -> StoredImages:
    """The images of a store as the model in ``read_by`` reads them; 0 ``tag_tokens``: regions without object tags."""
    if isinstance(store, RegionStore):
        return RegionInputs.read_by(read_by, store, tag_tokens=tag_tokens)
    if isinstance(store, PictureStore):
        return PictureInputs(store)
    return PixelInputs(store) if store.kind == "pixels" else StateInputs(store)


def open_images(folders: Sequence[Path], *, read_by: Path, tag_tokens: int = 0) -> StoredImages:
    """The images of several stores of one kind as ``inputs_of`` gives them."""
    return inputs_of(concatenated([open_store(folder) for folder in folders]), read_by=read_by, tag_tokens=tag_tokens)


def concatenated(stores: Sequence[Store]) -> Store:
    """The images of several stores in one; ValueError where they keep different things."""
    if len(kinds := {type(store) for store in stores}) != 1:
        raise ValueError(
            f"stores of {sorted(kind.__name__ for kind in kinds)} stand in one gallery; a model reads one kind. Give "
            "stores of one kind."
        )
    return type(stores[0]).concatenated(stores)  # type: ignore[arg-type]
