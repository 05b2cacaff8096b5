"""Pictures in a folder: which there are, by content; and what else lies there and is left out, with the reason."""

import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from reranksmart.files.photographs import FORMATS, undecoded
from reranksmart.files.reading import is_pointer
from reranksmart.files.storage import write_jsonl

ENDINGS = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
_NEEDS_HEIC = "HEIC, which is read with the extra: pip install 'reranksmart[heic]'"
_UNWRITABLE = ("Cc", "Cs")  # control characters, and bytes that are no UTF-8


@dataclass(frozen=True)
class Broken:
    """A file that is no whole picture, and why."""

    path: Path
    reason: str


SKIPPED_FILE = "skipped.jsonl"


@dataclass(frozen=True)
class LeftOut:
    """A file or caption that was given and is not used: why, and the kind by which such are counted."""

    what: str
    reason: str
    kind: str

    @staticmethod
    def file(path: Path, reason: str, kind: str = "") -> "LeftOut":
        """A file by its path, bytes that are no UTF-8 escaped."""
        return LeftOut(os.fsencode(path).decode("utf-8", "backslashreplace"), reason, kind or reason)


def write_left_out(folder: Path, left_out: Iterable[LeftOut]) -> None:
    """Writes ``skipped.jsonl`` into ``folder``: a line for each, with what, reason and kind."""
    write_jsonl(folder / SKIPPED_FILE, (asdict(one) for one in left_out))


def list_files(folder: Path) -> tuple[dict[str, Path], list[LeftOut]]:
    """The files below ``folder`` by their names from there, in order; and what was not followed or cannot be named.

    Each folder is entered once: a symbolic link to one that is read already, as in a loop, is left out, and so is what is
    hidden. ValueError where ``folder`` is none.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; name the folder of your pictures.")
    left_out: list[LeftOut] = []
    entered = {_identity(folder)}
    files: dict[str, Path] = {}
    waiting, linked = [folder], list[Path]()
    while waiting or linked:  # links last: a folder is known by its own path where it has one here
        place = waiting.pop() if waiting else linked.pop(0)
        if place is not folder and _identity(place) in entered:
            left_out.append(LeftOut.file(place, "a symbolic link to a folder that is read already", "symbolic links"))
            continue
        entered.add(_identity(place))
        for path in _entries(place, left_out):
            if path.is_dir():
                (linked if path.is_symlink() else waiting).append(path)
            elif path.is_file():
                files[path.relative_to(folder).as_posix()] = path
            else:
                what = "a symbolic link to nothing" if path.is_symlink() else "no regular file"
                left_out.append(LeftOut.file(path, what))
    return dict(sorted(files.items())), left_out


def _entries(place: Path, left_out: list[LeftOut]) -> Iterator[Path]:
    try:
        found = sorted(place.iterdir())
    except OSError as error:
        left_out.append(LeftOut.file(place, f"cannot be opened ({error.strerror})", "folders that cannot be opened"))
        return
    for path in found:
        if path.name.startswith("."):
            left_out.append(LeftOut.file(path, "hidden"))
        elif any(unicodedata.category(letter) in _UNWRITABLE for letter in path.name):
            left_out.append(
                LeftOut.file(path, "its name is not UTF-8, or holds a control character", "unreadable names")
            )
        else:
            yield path


def _identity(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_dev, found.st_ino


def list_pictures(folder: Path) -> tuple[dict[str, Path], list[LeftOut]]:
    """The files that have a picture's ending or content, as ``list_files``, and the others; ValueError where there is none."""
    files, left_out = list_files(folder)
    pictures = {}
    for name, path in files.items():
        ending = path.suffix.lower()
        if ending in ENDINGS or _is_picture(path):
            pictures[name] = path
        elif "HEIF" not in FORMATS and (ending in (".heic", ".heif") or _is_heic(path)):
            left_out.append(LeftOut.file(path, _NEEDS_HEIC))
        else:
            left_out.append(LeftOut.file(path, f"no picture by its content ({ending or 'no ending'})"))
    if not pictures:
        seen = f" ({left_out[0].what}: {left_out[0].reason})" if left_out else ""
        raise ValueError(
            f"{folder} holds no picture{seen}; files that are {', '.join(FORMATS)} by content are read, at any depth."
        )
    return pictures, left_out


def _is_picture(path: Path) -> bool:
    try:
        with undecoded(path):
            return True
    except Exception:  # parsers raise nearly every type on what is none
        return False


def _is_heic(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(12)
    return start[4:8] == b"ftyp" and start[8:] in _HEIC


def fault_of(path: Path) -> str | None:
    """Why the file is no whole picture, or None where all of it can be decoded."""
    try:
        with undecoded(path) as picture:
            picture.load()
    except Exception as error:  # parsers raise nearly every type on a broken file
        if is_pointer(path):
            return "a Git LFS pointer: run git lfs pull"
        return _NEEDS_HEIC if path.is_file() and _is_heic(path) else str(error) or type(error).__name__
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
