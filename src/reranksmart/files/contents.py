"""Digests of the content of a user's own files and folders, wherever they lie and whatever their times say."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from reranksmart.files.storage import read_json, write_json

_WHOLE = 2**28  # bytes: a file up to this size is read whole, of a larger one so many blocks, spread evenly
_BLOCKS, _BLOCK = 256, 2**20


class ContentDigests:
    """Digests that are remembered for as long as a file keeps its size, time of change and inode.

    ``memory`` is the file in which they outlive a process; a damaged one is begun anew.
    """

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._known: dict[str, list[int | str]] = {}
        with suppress(ValueError, OSError):
            self._known = dict(read_json(memory))
        self._found: dict[str, str] = {}

    def digest(self, path: str) -> str | None:
        """The digest of what lies at a path; of what lay there last, if it is gone; None if nothing ever did."""
        if path not in self._found:
            files = list(_files(path))
            if not files:
                return str(self._known[path][-1]) if path in self._known else None
            digests = (f"{os.path.relpath(file, path)} {self._of_file(file, found)}" for file, found in files)
            self._found[path] = hashlib.sha256("\n".join(digests).encode()).hexdigest()[:16]
        return self._found[path]

    def keep(self) -> None:
        """Writes what was found to the memory, for the next process."""
        self._known |= {path: [found] for path, found in self._found.items() if os.path.isdir(path)}
        if self._found:
            write_json(self._memory, self._known)

    def _of_file(self, path: str, found: os.stat_result) -> str:
        state: list[int | str] = [found.st_size, found.st_mtime_ns, found.st_ino]
        known = self._known.get(path)
        if not known or known[:3] != state:
            known = self._known[path] = [*state, _read(path, found.st_size)]
        return str(known[-1])


def content_digest(path: str) -> str | None:
    """The digest of what lies at a path now; None where nothing does."""
    return ContentDigests(Path(os.devnull)).digest(path)


def _files(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """The files at and below a path in order of their names; those that begin with a dot are no content."""
    try:
        found = os.stat(path)
    except OSError:
        return
    if os.path.isfile(path):
        yield path, found
    elif os.path.isdir(path):
        for name in sorted(os.listdir(path)):
            if not name.startswith("."):
                yield from _files(os.path.join(path, name))


def _read(path: str, size: int) -> str:
    digest = hashlib.sha256(str(size).encode())
    with open(path, "rb") as file:
        if size <= _WHOLE:
            while block := file.read(_BLOCK):
                digest.update(block)
        else:
            for number in range(_BLOCKS):
                file.seek(number * (size - _BLOCK) // (_BLOCKS - 1))
                digest.update(file.read(_BLOCK))
    return digest.hexdigest()[:16]
