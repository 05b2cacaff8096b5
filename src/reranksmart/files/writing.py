"""Writes that land beside their target and are renamed into place: all of it or nothing."""

from __future__ import annotations

import errno
import glob
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_WRITTEN: set[Path] = set()  # the temporary folders of this process that will be renamed
_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
_LEAST_ROOM = 2**16
_TEMPORARY = re.compile(r"[a-z0-9_]{8}(\.old)?")  # what stands in the name of a temporary file or folder


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, renamed to it on success and removed on failure."""
    with faults_of_the_disk_explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        temporary = _beside(path, path.suffix)
        temporary.touch(exist_ok=False)
    try:
        with faults_of_the_disk_explained(path):
            yield temporary
            temporary.replace(path)
    finally:
        _remove(temporary)


@contextmanager
def atomic_directory(folder: Path) -> Iterator[Path]:
    """A temporary folder beside ``folder`` that takes its place on success and is removed on failure.

    Asked for that temporary folder again within, it gives the folder itself: what adds to a whole needs no other one.
    """
    if folder in _WRITTEN:
        yield folder
        return
    with faults_of_the_disk_explained(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(folder)
        temporary = _beside(folder)
        temporary.mkdir()
    replaced = temporary.with_name(f"{temporary.name}.old")
    _WRITTEN.add(temporary)
    try:
        with faults_of_the_disk_explained(folder):
            yield temporary
            if os.path.lexists(folder):
                folder.replace(replaced)  # removing it in place could be cut off half-way
            temporary.replace(folder)
    finally:
        _WRITTEN.discard(temporary)
        _remove(temporary)
        _remove(replaced)


def _beside(path: Path, suffix: str = "") -> Path:
    """A new name beside ``path``; what is made under it has the permissions that the user's umask and folder give."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}{suffix}")


@contextmanager
def faults_of_the_disk_explained(path: Path) -> Iterator[None]:
    """Raises OSError with what to do where writing fails for want of room or permission.

    Libraries say it in ways of their own, some without an error number; a disk that is full shows it.
    """
    try:
        yield
    except Exception as error:
        fault = os.strerror(error.errno) if isinstance(error, OSError) and error.errno in _FAULTS else ""
        if not fault and path.parent.exists() and shutil.disk_usage(path.parent).free < _LEAST_ROOM:
            fault = os.strerror(errno.ENOSPC)
        if not fault:
            raise
        raise OSError(
            f"{path} cannot be written: {fault}. Its folder needs a disk with room that may be written to: make some, "
            "or put the folder elsewhere and a symbolic link in its place, and give the same command again."
        ) from error


def _remove_leftovers(path: Path) -> None:
    """Removes what killed writers of the same target left beside it; a target has one writer at a time."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
        if not _TEMPORARY.fullmatch(left.name.removeprefix(f".{path.name}.").removesuffix(path.suffix)):
            continue
        _remove(left)


def _remove(path: Path) -> None:
    """Removes a file, a folder with all in it, or a link but not what it leads to, as far as it can be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
