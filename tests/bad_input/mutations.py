"""Ways in which a file comes damaged: bytes, arrays, JSON values and text, each drawn from a seed."""

from __future__ import annotations

import json
import os
import pickle
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

Mutation = Callable[[Path, random.Random], str]
"""Changes one file in place and says how."""


class Bomb:
    """An object whose pickle would make a file if it were loaded carelessly."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.mark}",)


def truncated(path: Path, rng: random.Random) -> str:
    content = path.read_bytes()
    kept = rng.randrange(len(content)) if content else 0
    path.write_bytes(content[:kept])
    return f"cut after {kept} of {len(content)} bytes"


def emptied(path: Path, rng: random.Random) -> str:
    path.write_bytes(b"")
    return "empty"


def bits_flipped(path: Path, rng: random.Random) -> str:
    content = bytearray(path.read_bytes())
    places = [rng.randrange(len(content)) for _ in range(rng.choice((1, 1, 4, 32)))] if content else []
    for place in places:
        content[place] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    return f"bits flipped at {places[:4]}"


def header_flipped(path: Path, rng: random.Random) -> str:
    """Most formats say at the start, or zip archives at the end, how the rest is to be read."""
    content = bytearray(path.read_bytes())
    near = min(128, len(content))
    place = rng.choice((rng.randrange(near), len(content) - 1 - rng.randrange(near))) if content else 0
    if content:
        content[place] = rng.choice((0, 0x7F, 0x80, 0xFF))
    path.write_bytes(content)
    return f"byte {place} of {len(content)} replaced"


def not_utf8(path: Path, rng: random.Random) -> str:
    content = path.read_bytes()
    place = rng.randrange(len(content) + 1)
    path.write_bytes(content[:place] + rng.choice((b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\x00")) + content[place:])
    return f"bytes that are no UTF-8 at {place}"


def carriage_returns(path: Path, rng: random.Random) -> str:
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    return "CRLF"


def part_repeated(path: Path, rng: random.Random) -> str:
    content = path.read_bytes()
    start, end = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    path.write_bytes(content[:end] + content[start:])
    return f"bytes {start} to {end} twice"


def part_lost(path: Path, rng: random.Random) -> str:
    content = path.read_bytes()
    start, end = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    path.write_bytes(content[:start] + content[end:])
    return f"bytes {start} to {end} lost"


def other_content(path: Path, rng: random.Random) -> str:
    path.write_bytes(rng.randbytes(rng.choice((1, 64, 5000))))
    return "random bytes"


def removed(path: Path, rng: random.Random) -> str:
    path.unlink()
    return "missing"


def a_folder(path: Path, rng: random.Random) -> str:
    path.unlink()
    path.mkdir()
    return "a folder"


def link_to_itself(path: Path, rng: random.Random) -> str:
    path.unlink()
    path.symlink_to(path.name)
    return "a symbolic link to itself"


def link_to_nothing(path: Path, rng: random.Random) -> str:
    path.unlink()
    path.symlink_to("nowhere")
    return "a dangling symbolic link"


def code_in_pickle(path: Path, rng: random.Random) -> str:
    path.write_bytes(pickle.dumps({"weights": Bomb(path.with_name("executed"))}, protocol=2))
    return "a pickle that runs code"


BYTES: tuple[Mutation, ...] = (
    *(truncated, emptied, bits_flipped, header_flipped, not_utf8, carriage_returns, part_repeated, part_lost),
    *(other_content, removed, a_folder, link_to_itself, link_to_nothing, code_in_pickle),
)


def _changed_array(array: np.ndarray, rng: random.Random) -> tuple[str, np.ndarray]:
    floats = array.dtype.kind == "f" and array.size > 0
    first = array.reshape(-1)[:1] if array.size else np.zeros(1)
    ways: list[tuple[str, Callable[[], np.ndarray]]] = [
        ("float64", lambda: array.astype(np.float64) if array.dtype.kind in "iuf" else np.ones(len(first))),
        ("complex", lambda: np.ones(array.shape, np.complex64)),
        ("text", lambda: array.astype(str)),
        ("bytes", lambda: np.full(array.shape, b"\xff")),
        ("objects", lambda: np.full(array.shape, None, dtype=object)),
        ("int8", lambda: np.full(array.shape, -1, np.int8)),
        ("one axis more", lambda: array[None]),
        ("flat", lambda: array.reshape(-1)),
        ("one number", lambda: first[0]),
        ("no row", lambda: array[:0] if array.ndim else np.zeros(0)),
        ("a row less", lambda: array[:-1] if array.ndim else array[None]),
        ("a row twice", lambda: np.concatenate([array, array[:1]]) if array.ndim else array[None]),
    ]
    if floats:
        for name, value in (("NaN", np.nan), ("infinity", np.inf), ("huge", 6e4), ("negative", -7)):
            ways.append((name, lambda value=value: _with_value(array, value, rng)))  # type: ignore[misc]
    if array.dtype.kind in "iu":
        for value in (-1, 2**31 - 1):
            ways.append((f"holding {value}", lambda value=value: _with_value(array, value, rng)))  # type: ignore[misc]
    name, change = rng.choice(ways)
    return name, change()


def _with_value(array: np.ndarray, value: float, rng: random.Random) -> np.ndarray:
    changed = array.copy()
    changed.reshape(-1)[rng.randrange(array.size)] = value
    return changed


def array_changed(path: Path, rng: random.Random) -> str:
    """Another dtype, shape or value in one array of a .npz or .npy file that is whole as such."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=True) as found:
            arrays = dict(found)
        name = rng.choice(sorted(arrays))
        how, arrays[name] = _changed_array(arrays[name], rng)
        with path.open("wb") as file:
            np.savez(file, **arrays)
        return f"{name}: {how}"
    how, changed = _changed_array(np.load(path, allow_pickle=True), rng)
    with path.open("wb") as file:
        np.save(file, changed)
    return how


def array_left_out(path: Path, rng: random.Random) -> str:
    with np.load(path, allow_pickle=True) as found:
        arrays = dict(found)
    name = rng.choice(sorted(arrays))
    del arrays[name]
    with path.open("wb") as file:
        np.savez(file, **arrays)
    return f"without {name}"


def huge_header(path: Path, rng: random.Random) -> str:
    """A .npy whose header promises a terabyte or more."""
    shape = rng.choice(((10**12,), (10**9, 2048), (2**62, 4), (-1, 3), (3,) * 40))
    header = repr({"descr": "<f4", "fortran_order": False, "shape": shape}).ljust(117).encode() + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 64)
    return f"a header of shape {shape[:3]}"


ODD_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1e308, 10**30, float("nan"), float("inf"), "", " ", "\x00", "x" * 5000, "\ud800"),
    *("../../../escape", "/etc/passwd", "..", "a/../../b", [], {}, [[]], [None], {"a": {"b": []}}),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from _places(value[key], (*path, key))
    elif isinstance(value, list):
        for row in range(len(value)):
            yield from _places(value[row], (*path, row))


def changed_value(value: Any, rng: random.Random) -> tuple[str, Any]:
    """A JSON-like value with one place of it replaced, left out, repeated or nested; the value is not changed."""
    value = json.loads(json.dumps(value))
    place = rng.choice(list(_places(value)))
    if not place:
        odd = rng.choice(ODD_VALUES)
        return f"replaced by {str(odd)[:20]!r}", odd
    parent = value
    for part in place[:-1]:
        parent = parent[part]
    way = rng.choice(("odd", "odd", "odd", "left out", "unknown key", "nested"))
    if way == "left out":
        del parent[place[-1]]
    elif way == "unknown key" and isinstance(parent, dict):
        parent["unknwon"] = 1
    elif way == "nested":
        parent[place[-1]] = [parent[place[-1]]]
    else:
        parent[place[-1]] = odd = rng.choice(ODD_VALUES)
        way = repr(odd)[:30]
    return f"{'.'.join(map(str, place))}: {way}", value


def json_changed(path: Path, rng: random.Random) -> str:
    how, value = changed_value(json.loads(path.read_text()), rng)
    path.write_text(json.dumps(value))
    return how


def json_line_changed(path: Path, rng: random.Random) -> str:
    lines = path.read_text().rstrip("\n").split("\n")
    row = rng.randrange(len(lines))
    how, value = changed_value(json.loads(lines[row]), rng)
    lines[row] = json.dumps(value)
    path.write_text("\n".join(lines) + "\n")
    return f"line {row + 1}, {how}"


def deeply_nested(path: Path, rng: random.Random) -> str:
    path.write_text("[" * 100_000)
    return "100,000 brackets"


def field_changed(path: Path, rng: random.Random) -> str:
    """A field of a table, or a word of a text."""
    content = path.read_text()
    separator = next((mark for mark in ("\t", ",", " ", "\n") if mark in content), "\n")
    fields = content.split(separator)
    place = rng.randrange(len(fields))
    odd = rng.choice(("", "-1", "nan", "1e999", "9" * 30, '"', "../../escape", "\x00", "é" * 3000, f"a{separator}b"))
    fields[place] = odd
    path.write_text(separator.join(fields))
    return f"field {place} is {odd[:20]!r}"


def mutations_of(path: Path) -> tuple[Mutation, ...]:
    """What can be done to a file of this kind."""
    fitting: dict[str, tuple[Mutation, ...]] = {
        ".npz": (array_changed, array_changed, array_changed, array_left_out),
        ".npy": (array_changed, array_changed, array_changed, huge_header),
        ".json": (json_changed, json_changed, json_changed, deeply_nested),
        ".jsonl": (json_line_changed, json_line_changed, json_line_changed, deeply_nested),
        **dict.fromkeys((".csv", ".tsv", ".txt"), (field_changed, field_changed)),
    }
    return BYTES + fitting.get(path.suffix, ())
