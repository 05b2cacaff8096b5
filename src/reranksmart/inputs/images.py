"""Pixels and vision states of a store as batches, and the opening of whatever a model reads of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reranksmart.files.image_store import INDEX_FILE
from reranksmart.files.region_store import RegionStore
from reranksmart.files.storage import read_json
from reranksmart.files.vision_store import VisionStore
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

    def first(self, count: int) -> PixelInputs:
        """Of the first images only."""
        return PixelInputs(self.store.first(count))


@dataclass(frozen=True)
class StateInputs(_VisionInputs):
    """States that one model's vision tower made of each image; an image's length is their number."""

    def batch(self, rows: Sequence[int] | NDArray[np.integer]) -> VisionStates:
        return VisionStates(*self._rows(rows))

    def first(self, count: int) -> StateInputs:
        """Of the first images only."""
        return StateInputs(self.store.first(count))


def open_store(folder: Path) -> RegionStore | VisionStore:
    """The store in a folder, memory-mapped, whatever it keeps of images."""
    kind = read_json(folder / INDEX_FILE).get("kind", "regions")
    return RegionStore.open(folder) if kind == "regions" else VisionStore.open(folder)


def inputs_of(store: RegionStore | VisionStore, *, read_by: Path, tag_tokens: int = 0) -> StoredImages:
    """The images of a store as the model in ``read_by`` reads them; 0 ``tag_tokens``: regions without object tags."""
    if isinstance(store, RegionStore):
        return RegionInputs.read_by(read_by, store, tag_tokens=tag_tokens)
    return PixelInputs(store) if store.kind == "pixels" else StateInputs(store)


def open_images(folders: Sequence[Path], *, read_by: Path, tag_tokens: int = 0) -> StoredImages:
    """The images of several stores of one kind as ``inputs_of`` gives them."""
    return inputs_of(concatenated([open_store(folder) for folder in folders]), read_by=read_by, tag_tokens=tag_tokens)


def concatenated(stores: Sequence[RegionStore | VisionStore]) -> RegionStore | VisionStore:
    """The images of several stores in one; ValueError where they keep different things."""
    if len(kinds := {type(store) for store in stores}) != 1:
        raise ValueError(
            f"stores of {sorted(kind.__name__ for kind in kinds)} stand in one gallery; a model reads one kind. Give "
            "stores of one kind."
        )
    return type(stores[0]).concatenated(stores)  # type: ignore[arg-type]
