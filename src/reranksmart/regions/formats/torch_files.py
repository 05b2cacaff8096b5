"""Files of ``torch.save``, both the zip archives of PyTorch 1.6 and later and the streams before, tensor by tensor.

``torch.load`` maps only the newer kind; OSCAR's features are of 2020 and tens of gigabytes. Here the pickle is read
whole, and each tensor in it is a reference that is read from its place in the file on demand.
"""

import math
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from reranksmart.regions.formats.images import decoding, open_published
from reranksmart.regions.formats.pickles import PlainUnpickler, plain

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_ZIP_MEMBER = b"PK\x03\x04"
_STORAGE_TYPES = {
    **{"HalfStorage": "<f2", "FloatStorage": "<f4", "DoubleStorage": "<f8", "BoolStorage": "|b1"},
    "BFloat16Storage": "V2",
    **{"ByteStorage": "|u1", "CharStorage": "|i1", "ShortStorage": "<i2", "IntStorage": "<i4", "LongStorage": "<i8"},
}


@dataclass(frozen=True)
class _Storage:
    """Numbers of one type in the file, which tensors are views of."""

    key: str
    dtype: np.dtype[Any]
    size: int


@dataclass(frozen=True)
class TensorReference:
    """A tensor that has not been read: its shape and where in which storage its numbers are."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __post_init__(self) -> None:
        numbers = (self.offset, *self.shape, *self.strides)
        if len(self.shape) != len(self.strides) or not all(isinstance(n, int) and n >= 0 for n in numbers):
            raise pickle.UnpicklingError(f"no tensor has shape {self.shape}, strides {self.strides}")
        if self.offset + self.extent > self.storage.size or math.prod(self.shape) > self.storage.size:
            raise pickle.UnpicklingError(
                f"a tensor of shape {self.shape} needs more than its {self.storage.size} numbers"
            )

    @property
    def extent(self) -> int:
        """How many numbers lie from the tensor's first to its last."""
        if 0 in self.shape:
            return 0
        return 1 + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))


@dataclass(frozen=True)
class TorchFile:
    """An open file: ``value`` is what was saved; ``read`` its tensors and numpy arrays."""

    path: Path
    value: Any
    _file: IO[bytes]
    _start_of: Callable[[_Storage], int]

    def read(self, value: Any) -> Any:
        """The numbers of a tensor or array, and any other value as it is; ValueError where the file ends before."""
        return self._tensor(value) if isinstance(value, TensorReference) else plain(value)

    def _tensor(self, tensor: TensorReference) -> NDArray[Any]:
        storage = tensor.storage
        with decoding(f"storage {storage.key!r}"):
            self._file.seek(self._start_of(storage) + tensor.offset * storage.dtype.itemsize)
            found = self._file.read(tensor.extent * storage.dtype.itemsize)
        if len(found) != tensor.extent * storage.dtype.itemsize:
            raise ValueError(f"the file ends inside of storage {storage.key!r}; it is truncated. Fetch it again.")
        strides = tuple(stride * storage.dtype.itemsize for stride in tensor.strides)
        values = np.ndarray(tensor.shape, storage.dtype, buffer=found, strides=strides)
        return values if storage.dtype.kind != "V" else _float32_of(values)


def _float32_of(brains: NDArray[np.void]) -> NDArray[np.float32]:
    """The numbers of bfloat16, which are the upper halves of float32's and which numpy does not know."""
    upper = np.ascontiguousarray(brains).view("<u2").astype("<u4")
    return (upper << 16).view("<f4")


@contextmanager
def open_torch_file(path: Path) -> Iterator[TorchFile]:
    """A file of ``torch.save``, open for the block; ValueError where it is none or names more than plain data."""
    with open_published(path) as file:
        with decoding(str(path)):
            value, start_of = _open_archive(file) if file.peek(4)[:4] == _ZIP_MEMBER else _open_stream(file)
        yield TorchFile(path, value, file, start_of)


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> TensorReference:
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("a tensor without storage")
    return TensorReference(storage, offset, tuple(shape), tuple(strides))


_TORCH_NAMES: Mapping[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    **{("torch", name): dtype for name, dtype in _STORAGE_TYPES.items()},
}


def _storage(reference: Any) -> _Storage:
    """The storage of a persistent id: ("storage", type, key, device, size) and, before 1.6, None for no view."""
    kind, dtype, key, _, size, *view = reference
    if (
        kind != "storage"
        or dtype not in _STORAGE_TYPES.values()
        or not isinstance(size, int)
        or size < 0
        or view not in ([], [None])
    ):
        raise pickle.UnpicklingError(f"it refers to {str(reference)[:80]}, which is no storage")
    return _Storage(str(key), np.dtype(dtype), size)


def _open_archive(file: IO[bytes]) -> tuple[Any, Callable[[_Storage], int]]:
    archive = zipfile.ZipFile(file)
    members = {member.filename.split("/", 1)[-1]: member for member in archive.infolist()}
    if "byteorder" in members and archive.read(members["byteorder"]) != b"little":
        raise ValueError("its numbers are big-endian")
    with archive.open(members["data.pkl"]) as pickled:
        value = PlainUnpickler(pickled, more=_TORCH_NAMES, persistent=_storage).load()

    def start_of(storage: _Storage) -> int:
        member = members[f"data/{storage.key}"]
        if member.compress_type != zipfile.ZIP_STORED or member.file_size != storage.size * storage.dtype.itemsize:
            raise ValueError(f"it is compressed or has {member.file_size} bytes instead of {storage.size} numbers")
        file.seek(member.header_offset)
        signature, name_length, extra_length = struct.unpack("<4s22xHH", file.read(30))
        if signature != _ZIP_MEMBER:
            raise ValueError("its header is missing")
        return member.header_offset + 30 + name_length + extra_length

    return value, start_of


def _open_stream(file: IO[bytes]) -> tuple[Any, Callable[[_Storage], int]]:
    magic, protocol, system = (PlainUnpickler(file).load() for _ in range(3))
    if magic != _MAGIC or protocol != _PROTOCOL or not system["little_endian"]:
        raise ValueError("it was not written by torch.save on a little-endian machine")
    storages: dict[str, _Storage] = {}

    def remembered(reference: Any) -> _Storage:
        found = _storage(reference)
        return storages.setdefault(found.key, found)

    value = PlainUnpickler(file, more=_TORCH_NAMES, persistent=remembered).load()
    starts: dict[str, int] = {}
    position = file.tell() if not storages else 0
    for key in PlainUnpickler(file).load():
        storage = storages[key]
        (size,) = struct.unpack("<q", file.read(8))
        if size != storage.size:
            raise ValueError(f"storage {key!r} has {size} numbers instead of {storage.size}")
        starts[key] = file.tell()
        position = file.seek(size * storage.dtype.itemsize, 1)
    if position > file.seek(0, 2) or len(starts) != len(storages):
        raise ValueError("it ends before its last tensor")
    return value, lambda storage: starts[storage.key]
