"""Writes that land beside their target and are renamed into place: all of it or nothing."""

import errno
import glob
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reranksmart.files.holding import held

_WRITTEN: set[Path] = set()  # the temporary folders of this process that will be renamed
_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
_LEAST_ROOM = 2**16
_TEMPORARY = re.compile(r"[a-z0-9_]{8}(\.old)?")  # what stands in the name of a temporary file or folder


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, renamed to it on success and removed on failure; ``path`` is held meanwhile."""
    temporary = _beside(path, path.suffix)
    with _removed_at_last(temporary), faults_of_the_disk_explained(path), held(path):
        _remove_leftovers(path)
        temporary.touch(exist_ok=False)
        yield temporary
        temporary.replace(path)


@contextmanager
def atomic_directory(folder: Path) -> Iterator[Path]:
    """A temporary folder beside ``folder`` that takes its place on success and is removed on failure.

    ``folder`` is held meanwhile. Asked for that temporary folder again within, it gives the folder itself: what adds to
    a whole needs no other one.
    """
    if folder in _WRITTEN:
        yield folder
        return
    temporary = _beside(folder)
    replaced = temporary.with_name(f"{temporary.name}.old")
    with _removed_at_last(temporary, replaced), faults_of_the_disk_explained(folder), held(folder):
        _remove_leftovers(folder)
        temporary.mkdir()
        _WRITTEN.add(temporary)
        yield temporary
        if os.path.lexists(folder):
            folder.replace(replaced)  # removing it in place could be cut off half-way
        temporary.replace(folder)


def remove_folder(folder: Path) -> None:
    """Removes a folder, all of it or nothing: cut off half-way it has another name, under which nothing is read."""
    hidden = _beside(folder)
    folder.replace(hidden)
    _remove(hidden)


@contextmanager
def _removed_at_last(*paths: Path) -> Iterator[None]:
    try:
        yield
    finally:
        for path in paths:
            _WRITTEN.discard(path)
            _remove(path)


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
    """Removes what killed writers of the same target left beside it."""
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
