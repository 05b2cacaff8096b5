"""VisionStore: the pixels or vision states of many images."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from reranksmart.files.image_store import ImageStore, StoreWriter, all_texts, write_index, writing_store
from reranksmart.values.ragged import offsets_of

Kind = Literal["pixels", "states"]


@dataclass(frozen=True)
class VisionStore(ImageStore):
    """Rows (sum N, F) float16 of N images, one after the other: image n owns ``offsets[n]:offsets[n + 1]``.

    ``kind`` "pixels": a row is a patch (see ``PixelBatch``) and ``grids`` (N, 2) int32 are rows and columns of
    patches. "states": a row is a state of one model's vision tower and ``grids`` is zero.
    """

    rows: NDArray[np.float16]
    grids: NDArray[np.int32]
    kind: Kind

    per_row: ClassVar[tuple[str, ...]] = ("rows",)
    per_thing: ClassVar[tuple[str, ...]] = ("image_ids", "grids")
    kept: ClassVar[Mapping[str, tuple[type[np.generic], int]]] = {"rows": (np.float16, 2), "grids": (np.int32, 2)}

    def __post_init__(self) -> None:
        if self.kind not in ("pixels", "states"):
            raise ValueError(f"a vision store holds pixels or states, not {self.kind!r}; extract it again")
        super().__post_init__()
        if self.kind == "pixels" and (self.grids.prod(axis=1) != self.lengths).any():
            raise ValueError("grids do not multiply to the number of patches; extract the pixels again")

    @property
    def what(self) -> str:
        return self.kind

    @property
    def index(self) -> dict[str, Any]:
        return {"kind": self.kind, "image_ids": list(self.image_ids)}

    @classmethod
    def texts_of(cls, index: dict[str, Any]) -> dict[str, Any]:
        return {"kind": index["kind"], "image_ids": all_texts(index["image_ids"])}

    @staticmethod
    def of(
        kind: Kind, image_ids: Sequence[str], parts: Sequence[NDArray[np.floating]], grids: Sequence[Sequence[int]]
    ) -> "VisionStore":
        """One store from the rows (n, F) of each image; ValueError where a value is not finite in float16."""
        halved = [_halved(part, image_id, kind) for image_id, part in zip(image_ids, parts, strict=True)]
        return VisionStore(
            offsets=offsets_of([len(part) for part in parts]),
            image_ids=tuple(image_ids),
            rows=np.concatenate(halved),
            grids=np.asarray(grids, dtype=np.int32).reshape(-1, 2),
            kind=kind,
        )

    @staticmethod
    def concatenated(stores: "Sequence[VisionStore]") -> "VisionStore":
        """The images of several stores of one kind and width in one."""
        if len(stores) == 1:
            return stores[0]
        if len({(store.kind, store.rows.shape[1]) for store in stores}) != 1:
            raise ValueError("stores of different kinds or widths cannot be concatenated; extract them with one model")
        return stores[0].followed_by(stores[1:])


class VisionWriter:
    """A vision store on its way to disk."""

    def __init__(self, writer: StoreWriter, kind: Kind) -> None:
        self._writer, self._kind = writer, kind

    def append(self, image_id: str, rows: NDArray[np.floating], grid: Sequence[int] | NDArray[np.integer]) -> None:
        """Adds an image of rows (n, F); ``grid`` are rows and columns of patches. ValueError where a value is not
        finite in float16."""
        self._writer.append(image_id, {"rows": _halved(rows, image_id, self._kind)}, grids=(int(grid[0]), int(grid[1])))


@contextmanager
def writing_vision(folder: Path, kind: Kind) -> Iterator[VisionWriter]:
    """A writer whose store stands at ``folder`` when the block ends well; after an error nothing of it is left."""
    with writing_store(folder, VisionStore) as (target, writer):
        yield VisionWriter(writer, kind)
        write_index(target, {"kind": kind, "image_ids": list(writer.image_ids)})


def _halved(rows: NDArray[np.floating], image_id: str, kind: Kind) -> NDArray[np.float16]:
    halved = np.asarray(rows, dtype=np.float16)
    if not np.isfinite(halved).all():
        raise ValueError(
            f"image {image_id!r} has {kind} that are not finite in float16; check the picture and the checkpoint"
        )
    return halved
