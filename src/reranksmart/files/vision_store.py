"""VisionStore: the pixels or vision states of many images, memory-mapped like regions; a lookup is a slice."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reranksmart.files.growing_arrays import GrowingArray
from reranksmart.files.reading import reading
from reranksmart.files.writing import atomic_directory

Kind = Literal["pixels", "states"]
INDEX_FILE = "index.json"


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

    def first(self, count: int) -> VisionStore:
        """The first images, in the same memory."""
        stop = self.offsets[min(count, len(self))]
        return VisionStore(
            self.kind, self.image_ids[:count], self.offsets[: count + 1], self.rows[:stop], self.grids[:count]
        )

    def save(self, folder: Path) -> None:
        """Writes the store as a folder of plain ``.npy`` files and one JSON file; all of it or nothing."""
        with writing_vision(folder, self.kind) as writer:
            for row, image_id in enumerate(self.image_ids):
                writer.append(image_id, self.rows[self.offsets[row] : self.offsets[row + 1]], self.grids[row])

    @staticmethod
    def open(folder: Path) -> VisionStore:
        """The store in ``folder``, memory-mapped."""
        with reading(folder, remedy="Delete the folder; the rule that made it makes it again."):
            names = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))
            arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("offsets", "rows", "grids")}
            return VisionStore(kind=names["kind"], image_ids=tuple(names["image_ids"]), **arrays)


class VisionStoreWriter:
    """A vision store on its way to disk: ``append`` each image; memory holds only ids, offsets and grids."""

    def __init__(self, folder: Path, kind: Kind) -> None:
        self._folder, self._kind = folder, kind
        self._image_ids: list[str] = []
        self._offsets = [0]
        self._grids: list[tuple[int, int]] = []
        self._rows: GrowingArray | None = None

    def append(self, image_id: str, rows: NDArray[np.floating], grid: Sequence[int] | NDArray[np.integer]) -> None:
        """Adds an image of rows (n, F); ``grid`` are rows and columns of patches. ValueError where a value is not
        finite in float16."""
        halved = np.asarray(rows, dtype=np.float16)
        if not np.isfinite(halved).all():
            raise ValueError(
                f"image {image_id!r} has {self._kind} that are not finite in float16; check the picture and the checkpoint"
            )
        if self._rows is None:
            self._rows = GrowingArray(self._folder / "rows.npy", np.float16, halved.shape[1:])
        if halved.shape[1:] != self._rows.row_shape:
            raise ValueError(
                f"image {image_id!r} has rows of {halved.shape[1:]}, those before it {self._rows.row_shape}"
            )
        self._rows.append(halved)
        self._image_ids.append(image_id)
        self._offsets.append(self._offsets[-1] + len(halved))
        self._grids.append((int(grid[0]), int(grid[1])))

    def finish(self) -> None:
        if self._rows is None:
            raise ValueError(f"there is no image to keep {self._kind} of; a store holds at least one. Check the split.")
        self._rows.finish()
        np.save(self._folder / "offsets.npy", np.array(self._offsets, dtype=np.int64))
        np.save(self._folder / "grids.npy", np.array(self._grids, dtype=np.int32))
        index = {"kind": self._kind, "image_ids": self._image_ids}
        (self._folder / INDEX_FILE).write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")

    def close(self) -> None:
        if self._rows is not None:
            self._rows.file.close()


@contextmanager
def writing_vision(folder: Path, kind: Kind) -> Iterator[VisionStoreWriter]:
    """A writer whose store stands at ``folder`` when the block ends well; after an error nothing of it is left."""
    with atomic_directory(folder) as target:
        writer = VisionStoreWriter(target, kind)
        try:
            yield writer
            writer.finish()
        finally:
            writer.close()
