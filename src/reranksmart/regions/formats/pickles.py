"""Pickles of plain data, read without running anything that they name.

A pickle can call any function. Here it can name only what ``_ALLOWED`` lists, and each of those is a small class or
function of this file that stands for a numpy array, its type, or a tensor elsewhere in the file. This is what
``torch.load(weights_only=True)`` does, which however reads all of a file at once and knows no numpy arrays.
"""

import pickle
import pickletools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

_PLAIN_TYPES = {"b1", "i1", "u1", "i2", "i4", "i8", "f2", "f4", "f8"}
_OBJECT_TYPES = {"O", "O8"}


class PickledType:
    """A numpy dtype on its way out of a pickle: plain numbers of either byte order, or objects."""

    def __init__(self, code: Any, *_: Any) -> None:
        if code not in _PLAIN_TYPES | _OBJECT_TYPES:
            raise pickle.UnpicklingError(f"arrays of type {code!r} are not plain numbers")
        self.code: str = code
        self.order = "<"

    def __setstate__(self, state: Any) -> None:
        self.order = {"<": "<", ">": ">", "|": "|"}[state[1]]

    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.order + self.code)


class PickledArray:
    """A numpy array on its way out of a pickle; ``value`` is the array, or the list of an object array's objects."""

    def __init__(self, *_: Any) -> None:
        self.value: NDArray[Any] | list[Any] | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, is_fortran, data = state
        if kind.code in _OBJECT_TYPES:
            self.value = list(data)
            return
        order = "F" if is_fortran else "C"
        self.value = np.frombuffer(data, dtype=kind.dtype()).reshape(shape, order=order)  # type: ignore[call-overload]


def _scalar(kind: PickledType, data: bytes) -> Any:
    return np.frombuffer(data, dtype=kind.dtype(), count=1)[0].item()


def _encoded(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"encoding {encoding!r} is not how bytes are pickled")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """How Python 2's protocol writes the bytes of an empty array."""
    return b""


class _Ndarray:
    """The name of numpy's array class, which a pickle hands to the function that makes one."""


_ALLOWED: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): _encoded,
    ("__builtin__", "bytes"): _no_bytes,
    ("numpy", "dtype"): PickledType,
    ("numpy", "ndarray"): _Ndarray,
    **{
        (module, name): found
        for module in ("numpy.core.multiarray", "numpy._core.multiarray")
        for name, found in (("_reconstruct", PickledArray), ("scalar", _scalar))
    },
}


class PlainUnpickler(pickle.Unpickler):
    """Reads pickles of numbers, texts, lists, dicts and arrays, plus the names in ``more`` and persistent objects."""

    def __init__(
        self,
        file: IO[bytes],
        *,
        more: Mapping[tuple[str, str], Any] | None = None,
        persistent: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(file)
        self._file = file
        self._allowed = {**_ALLOWED, **(more or {})}
        self._persistent = persistent

    def load(self) -> Any:
        start = self._file.tell()
        _require_small_memo(self._file)
        self._file.seek(start)
        return super().load()

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._allowed[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which plain data does not") from None

    def persistent_load(self, reference: Any) -> Any:
        if self._persistent is None:
            raise pickle.UnpicklingError("it refers to data outside of itself")
        return self._persistent(reference)


def _require_small_memo(file: IO[bytes]) -> None:
    """Raises UnpicklingError where an object is remembered under a number that no pickler gives.

    The unpickler makes a table as long as the largest number: four bytes of a file could fill the memory.
    """
    for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        if opcode.name in _REMEMBERING and isinstance(argument, int) and argument > count:
            raise pickle.UnpicklingError(f"its object {count} is remembered as number {argument:,}")


_REMEMBERING = {"PUT", "BINPUT", "LONG_BINPUT"}


def plain(value: Any) -> Any:
    """The numpy array or list that a pickled array stands for; any other value as it is."""
    return value.value if isinstance(value, PickledArray) else value


def read_pickled_npy(file: IO[bytes]) -> Any:
    """The one object that ``numpy.save`` wrote as an array without axes, as it does for a dict."""
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(file)
    if dtype != np.dtype(object) or shape != ():
        raise ValueError(f"it holds {dtype} {shape}, not one pickled dict")
    (found,) = plain(PlainUnpickler(file).load())
    return found
