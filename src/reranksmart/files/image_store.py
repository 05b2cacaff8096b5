"""What is kept of many images in memory-mapped arrays; a lookup is a slice. One writer for all kinds of stores."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from reranksmart.files.growing_arrays import GrowingArray
from reranksmart.files.reading import reading
from reranksmart.files.writing import atomic_directory
from reranksmart.values.ragged import Ragged, offsets_of

INDEX_FILE = "index.json"


class ImagesById:
    """For stores of N images: the row of each by its id."""

    image_ids: tuple[str, ...]

    @property
    def what(self) -> str:
        """What is kept of an image, in one word."""
        raise NotImplementedError

    @cached_property
    def row_by_id(self) -> dict[str, int]:
        return {image_id: row for row, image_id in enumerate(self.image_ids)}

    def rows_of(self, image_ids: Iterable[str]) -> NDArray[np.int64]:
        """The row of each image; KeyError with the first id that is not here."""
        try:
            return np.array([self.row_by_id[image_id] for image_id in image_ids], dtype=np.int64)
        except KeyError as missing:
            raise KeyError(
                f"image {missing.args[0]!r} has no {self.what} here ({len(self.image_ids)} images have); "
                f"make its {self.what} first, or remove its captions"
            ) from None


@dataclass(frozen=True)
class ImageStore(ImagesById, Ragged):
    """Rows of N images on disk: a folder of ``offsets.npy``, one ``.npy`` for each array of ``kept``, and ``index.json``."""

    image_ids: tuple[str, ...]

    kept: ClassVar[Mapping[str, tuple[type[np.generic], int]]] = {}
    """Dtype and number of axes of each array."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.image_ids) != len(self) or len(set(self.image_ids)) != len(self):
            raise ValueError(
                f"{len(self)} images have {len(set(self.image_ids))} different ids; ids of a store must be unique"
            )
        if (self.lengths < 1).any():
            empty = self.image_ids[int((self.lengths < 1).argmax())]
            raise ValueError(f"image {empty!r} has no {self.what}; every image of a store has some. Make it again.")

    @property
    def index(self) -> dict[str, Any]:
        """What of a store is text, as ``index.json`` holds it."""
        raise NotImplementedError

    @classmethod
    def texts_of(cls, index: dict[str, Any]) -> dict[str, Any]:
        """The fields of a store that ``index.json`` holds."""
        raise NotImplementedError

    @property
    def bytes_per_image(self) -> float:
        """What one image takes on disk, on average."""
        return sum(getattr(self, name).nbytes for name in ("offsets", *self.kept)) / len(self)

    def save(self, folder: Path) -> None:
        """Writes the store, all of it or nothing."""
        with atomic_directory(folder) as target:
            for name in ("offsets", *self.kept):
                np.save(target / f"{name}.npy", getattr(self, name))
            write_index(target, self.index)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The store in ``folder``, memory-mapped."""
        with reading(folder, remedy="Delete the folder; the rule that made it makes it again."):
            texts = cls.texts_of(json.loads((folder / INDEX_FILE).read_text(encoding="utf-8")))
            kept = {"offsets": (np.int64, 1), **cls.kept}
            arrays: dict[str, Any] = {name: _mapped(folder / f"{name}.npy", *kind) for name, kind in kept.items()}
            return cls(**arrays, **texts)


class StoreWriter:
    """A store on its way to disk: ``append`` each image; memory holds ids, offsets and what there is one of an image."""

    def __init__(self, folder: Path, kind: type[ImageStore]) -> None:
        self._folder, self._kind = folder, kind
        self._lengths: list[int] = []
        self._image_ids: dict[str, None] = {}
        self._arrays: dict[str, GrowingArray] = {}
        self._own: dict[str, list[Any]] = {name: [] for name in kind.kept if name not in kind.per_row}

    def append(self, image_id: str, rows: Mapping[str, NDArray[Any]], **own: Any) -> None:
        """Adds an image: ``rows`` (n, ...) by array, and ``own`` what there is one of. ValueError where the store would
        not be valid with it."""
        if image_id in self._image_ids:
            raise ValueError(f"image id {image_id!r} is in the store already; ids must be unique.")
        if not self._arrays:
            for name in self._kind.per_row:
                kept, given = self._kind.kept[name][0], rows[name]
                dtype = given.dtype.type if issubclass(given.dtype.type, kept) else kept
                self._arrays[name] = GrowingArray(self._folder / f"{name}.npy", dtype, given.shape[1:])
        for name, array in self._arrays.items():
            found = rows[name].shape[1:]
            if found != array.row_shape:
                raise ValueError(
                    f"image {image_id!r} has {name} of {_size(found)}, those before it {_size(array.row_shape)}; a store "
                    "holds what one detector or model made."
                )
        for name, array in self._arrays.items():
            array.append(rows[name])
        for name, values in self._own.items():
            values.append(own[name])
        self._image_ids[image_id] = None
        self._lengths.append(len(rows[self._kind.per_row[0]]))

    @property
    def image_ids(self) -> Sequence[str]:
        return tuple(self._image_ids)

    def finish(self) -> None:
        if not self._image_ids:
            raise ValueError("no image was found, and a store holds at least one; check the split, path and format.")
        for array in self._arrays.values():
            array.finish()
        np.save(self._folder / "offsets.npy", offsets_of(self._lengths))
        for name, values in self._own.items():
            np.save(self._folder / f"{name}.npy", np.array(values, dtype=self._kind.kept[name][0]))

    def close(self) -> None:
        for array in self._arrays.values():
            array.file.close()


@contextmanager
def writing_store(folder: Path, kind: type[ImageStore]) -> Iterator[tuple[Path, StoreWriter]]:
    """A writer, and the folder that takes the place of ``folder`` when the block ends well, in which the block writes
    the index (``write_index``); after an error nothing of it is left."""
    with atomic_directory(folder) as target:
        writer = StoreWriter(target, kind)
        try:
            yield target, writer
            writer.finish()
        finally:
            writer.close()


def write_index(folder: Path, index: Mapping[str, Any]) -> None:
    """Writes what of a store in ``folder`` is text."""
    (folder / INDEX_FILE).write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")


def all_texts(value: Any) -> tuple[str, ...]:
    """A list of texts as a tuple; ValueError where it is none."""
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError(f"{INDEX_FILE} has {str(value)[:80]} where a list of texts must be")
    return tuple(value)


def _size(shape: tuple[int, ...]) -> str:
    return f"size {shape[0]}" if len(shape) == 1 else f"shape {shape}"


def _mapped(path: Path, dtype: type[np.generic], axes: int) -> NDArray[Any]:
    array = np.lib.format.open_memmap(path, mode="r")
    if not np.issubdtype(array.dtype, dtype) or array.ndim != axes:
        raise ValueError(f"{path.name} is {array.dtype} {array.shape}; it must be {dtype.__name__} with {axes} axes")
    return array
