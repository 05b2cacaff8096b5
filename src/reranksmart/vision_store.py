"""VisionStore: the pixels or vision states of many images, memory-mapped like regions; a lookup is a slice."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reranksmart.storage import atomic_directory

Kind = Literal["pixels", "states"]


@dataclass(frozen=True)
class VisionStore:
    """Rows (sum N, F) float16 of N images, one after the other: image n owns ``offsets[n]:offsets[n + 1]``.

    ``kind`` "pixels": a row is a patch (see ``PixelBatch``) and ``grids`` (N, 2) int32 are rows and columns of
    patches. "states": a row is a state of one model's vision tower and ``grids`` is zero.
    """

    kind: Kind
    image_ids: tuple[str, ...]
    offsets: NDArray[np.int64]
    rows: NDArray[np.float16]
    grids: NDArray[np.int32]

    def __post_init__(self) -> None:
        if self.kind not in ("pixels", "states"):
            raise ValueError(f"a vision store holds pixels or states, not {self.kind!r}; extract it again")
        if len(self.offsets) != len(self.image_ids) + 1 or self.offsets[0] != 0 or self.offsets[-1] != len(self.rows):
            raise ValueError(f"offsets must run from 0 to {len(self.rows)} in {len(self.image_ids) + 1} steps")
        if len(self.grids) != len(self.image_ids) or len(set(self.image_ids)) != len(self.image_ids):
            raise ValueError("a vision store needs one grid for each image, and unique image ids")
        if (np.diff(self.offsets) < 1).any():
            raise ValueError("every image of a vision store needs a row; extract it again")
        if self.kind == "pixels" and (self.grids.prod(axis=1) != np.diff(self.offsets)).any():
            raise ValueError("grids do not multiply to the number of patches; extract the pixels again")

    def __len__(self) -> int:
        return len(self.image_ids)

    @cached_property
    def row_by_id(self) -> dict[str, int]:
        return {image_id: row for row, image_id in enumerate(self.image_ids)}

    @property
    def counts(self) -> NDArray[np.int64]:
        """The number of rows of each image (N,)."""
        return np.diff(self.offsets)

    @property
    def bytes_per_image(self) -> float:
        """What one image takes on disk, on average."""
        return float(self.rows.nbytes + self.grids.nbytes + self.offsets.nbytes) / len(self)

    def rows_of(self, image_ids: Iterable[str]) -> NDArray[np.int64]:
        """The row of each image; KeyError with the first id that is not here."""
        try:
            return np.array([self.row_by_id[image_id] for image_id in image_ids], dtype=np.int64)
        except KeyError as missing:
            raise KeyError(
                f"image {missing.args[0]!r} has no {self.kind} here ({len(self)} images have); "
                f"extract its {self.kind} first, or remove its captions"
            ) from None

    @staticmethod
    def of(
        kind: Kind, image_ids: Sequence[str], parts: Sequence[NDArray[np.floating]], grids: Sequence[Sequence[int]]
    ) -> VisionStore:
        """One store from the rows (n, F) of each image; ValueError where a value is not finite in float16."""
        rows = np.concatenate([np.asarray(part, dtype=np.float16) for part in parts])
        if not np.isfinite(rows).all():
            raise ValueError(f"some {kind} are not finite in float16; check the pictures and the checkpoint")
        offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
        return VisionStore(kind, tuple(image_ids), offsets, rows, np.asarray(grids, dtype=np.int32).reshape(-1, 2))

    @staticmethod
    def concatenated(stores: Sequence[VisionStore]) -> VisionStore:
        """The images of several stores of one kind and width in one."""
        if len(stores) == 1:
            return stores[0]
        if len({(store.kind, store.rows.shape[1]) for store in stores}) != 1:
            raise ValueError("stores of different kinds or widths cannot be concatenated; extract them with one model")
        starts = np.cumsum([0] + [len(store.rows) for store in stores])
        offsets = [store.offsets[:-1] + start for store, start in zip(stores, starts, strict=False)]
        return VisionStore(
            stores[0].kind,
            tuple(image_id for store in stores for image_id in store.image_ids),
            np.concatenate([*offsets, starts[-1:]]),
            np.concatenate([store.rows for store in stores]),
            np.concatenate([store.grids for store in stores]),
        )

    def take(self, rows: Iterable[int]) -> VisionStore:
        """A store of only these images, in this order, in memory."""
        chosen = list(rows)
        parts = [self.rows[self.offsets[row] : self.offsets[row + 1]] for row in chosen]
        return VisionStore.of(self.kind, [self.image_ids[row] for row in chosen], parts, self.grids[chosen].tolist())

    def save(self, folder: Path) -> None:
        """Writes the store as a folder of plain ``.npy`` files and one JSON file; all of it or nothing."""
        with atomic_directory(folder) as target:
            for name in ("offsets", "rows", "grids"):
                np.save(target / f"{name}.npy", getattr(self, name))
            index = {"kind": self.kind, "image_ids": self.image_ids, "bytes_per_image": self.bytes_per_image}
            (target / "index.json").write_text(json.dumps(index, ensure_ascii=False))

    @staticmethod
    def open(folder: Path) -> VisionStore:
        """The store in ``folder``, memory-mapped."""
        index = folder / "index.json"
        if not index.exists():
            raise FileNotFoundError(f"{folder} is no vision store: {index} is missing; rule extract_pixels makes it")
        names = json.loads(index.read_text())
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("offsets", "rows", "grids")}
        return VisionStore(kind=names["kind"], image_ids=tuple(names["image_ids"]), **arrays)
