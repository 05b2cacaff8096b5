"""Faults of files that are read: whatever a parser raises becomes one error with the file and what to do."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MADE_AGAIN = "Delete it; the command that made it makes it again."
_MOST_WORDS = 600
_POINTER = b"version https://git-lfs.github.com/"
_MOST_UNPACKED, _MOST_TIMES_PACKED = 16 * 2**20, 100  # text shrinks to a tenth


@contextmanager
def reading(path: Path, *, remedy: str = MADE_AGAIN) -> Iterator[None]:
    """Any error from inside as a ValueError that names ``path``, the fault and the ``remedy``.

    A missing file is a FileNotFoundError. Parsers raise nearly every type on a broken file.
    """
    try:
        yield
    except FileNotFoundError as error:
        missing = "Make it by the command whose output it is." if remedy == MADE_AGAIN else remedy
        raise FileNotFoundError(f"{path} is missing. {missing}") from error
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({said(error)}). A readable file is needed. {remedy}") from error
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit) or not _is_a_parsers(error):
            raise
        require_fetched(path)
        raise ValueError(
            f"{path} cannot be read ({said(error)}). It is truncated, damaged or of another format. {remedy}"
        ) from error


def _is_a_parsers(error: BaseException) -> bool:
    """Whether it says what is wrong with the file; the parsers written in Rust panic outside of Exception."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def is_pointer(path: Path) -> bool:
    """Whether Git LFS has left a pointer where the file itself belongs."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_POINTER)) == _POINTER


def require_fetched(path: Path) -> None:
    """ValueError where the file, or one in the folder, is a pointer of Git LFS: a clone without large files leaves them."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    if pointers := [file for file in files if is_pointer(file)]:
        more = f" (and {len(pointers) - 1} more there)" if len(pointers) > 1 else ""
        raise ValueError(
            f"{pointers[0]} is a Git LFS pointer{more}, which stands for a file that was not fetched: run git lfs pull in its "
            "repository, or fetch the file anew."
        )


def most_unpacked(packed: int) -> int:
    """How many bytes a file of ``packed`` bytes may unpack to: more is a bomb."""
    return max(_MOST_UNPACKED, _MOST_TIMES_PACKED * packed)


def require_uncompressed(path: Path) -> None:
    """ValueError where a zip archive is compressed or announces more than the file holds: then it is a bomb or damaged.

    What is no zip archive passes.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    unpacked, packed = sum(member.file_size for member in members), path.stat().st_size
    if unpacked > packed or any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError(
            f"it would unpack to {unpacked:,} bytes from {packed:,}, but files of this kind are not compressed"
        )


def require_whole_archive(path: Path) -> None:
    """``require_uncompressed``, and ValueError where a member is not what its checksum says."""
    require_uncompressed(path)
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        if damaged := archive.testzip():
            raise ValueError(f"the checksum of {damaged!r} in it is wrong")


def said(error: BaseException) -> str:
    """What a library says, in one line: whole, or its beginning and its end, where the cause tends to stand."""
    text = " ".join(str(error).split())
    if len(text) > _MOST_WORDS:
        text = f"{text[: _MOST_WORDS // 2]} ... {text[-_MOST_WORDS // 2 :]}"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
