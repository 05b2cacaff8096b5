"""Pictures in a folder: which there are, and which of them cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reranksmart.files.photographs import undecoded

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class Broken:
    """A file that is no whole picture, and why."""

    path: Path
    reason: str


def find_pictures(folder: Path) -> list[Path]:
    """All JPEG, PNG and WebP files below ``folder``, in order of their paths; hidden files and folders are left out.

    ValueError where ``folder`` is none or holds no such file.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; name the folder of your pictures.")
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not found:
        raise ValueError(f"{folder} holds no picture; files ending in {', '.join(SUFFIXES)} are read, at any depth.")
    return found


def fault_of(path: Path) -> str | None:
    """Why the file is no whole picture, or None where all of it can be decoded."""
    try:
        with undecoded(path) as picture:
            picture.load()
    except Exception as error:  # parsers raise nearly every type on a broken file
        return str(error) or type(error).__name__
    return None


def split_broken(paths: Sequence[Path]) -> tuple[list[Path], list[Broken]]:
    """The whole pictures, in their order, and the broken ones; ValueError where none is whole."""
    faults = [(path, fault_of(path)) for path in paths]
    whole = [path for path, fault in faults if fault is None]
    broken = [Broken(path, fault) for path, fault in faults if fault is not None]
    if not whole:
        raise ValueError(
            f"{broken[0].path} is not a whole picture ({broken[0].reason}), and neither is any of the {len(broken)} "
            "files given. PNG, JPEG, WebP and what else Pillow opens are read; replace the files."
            if broken
            else "there is no picture to read; name at least one."
        )
    return whole, broken
