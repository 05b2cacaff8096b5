"""Published archives unpacked, once."""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from gzip import BadGzipFile
from pathlib import Path

from reranksmart.files.holding import held
from reranksmart.files.reading import most_unpacked
from reranksmart.files.writing import atomic_directory

ENDINGS = (".zip", ".tar.gz", ".tgz")
_FAULTS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, tarfile.TarError, BadGzipFile),
    *(EOFError, NotImplementedError, RuntimeError),
)


def folder_of(archive: str) -> str:
    """The folder that an archive is unpacked to: its name without the ending."""
    return next(archive.removesuffix(ending) for ending in ENDINGS if archive.endswith(ending))


def unpack(archive: Path, folder: Path) -> int:
    """How many files of the archive lie in ``folder``, after unpacking it there unless all of them do already.

    ValueError where the archive is no whole .zip or .tar.gz file or a bomb; then ``folder`` is as it was.
    """
    if not archive.is_file():
        raise ValueError(f"{archive} is gone since it was fetched; delete its record in results/downloads to fetch it.")
    try:
        files = _sizes(archive)
        _require_no_bomb(archive, files)
        if not _are_there(folder, files):
            with held(folder):
                if not _are_there(folder, files):  # else another process unpacked it meanwhile
                    with atomic_directory(folder) as target:
                        _extract(archive, target)
    except _FAULTS as error:
        raise ValueError(
            f"{archive} is not a whole {'.zip' if archive.suffix == '.zip' else '.tar.gz'} file ({error}). Delete it and its "
            "record in results/downloads to have it fetched again, or put the right one there."
        ) from error
    return len(files)


def _sizes(archive: Path) -> dict[str, int]:
    """The bytes of each file of the archive, unpacked."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as packed:
            return {entry.filename: entry.file_size for entry in packed.infolist() if not entry.is_dir()}
    with tarfile.open(archive) as tape:
        return {entry.name: entry.size for entry in tape if entry.isfile()}


def _extract(archive: Path, target: Path) -> None:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(target)
        return
    with tarfile.open(archive) as tape:
        tape.extractall(target, filter="data")


def _require_no_bomb(archive: Path, files: Mapping[str, int]) -> None:
    unpacked, packed = sum(files.values()), archive.stat().st_size
    if unpacked > most_unpacked(packed):
        raise ValueError(
            f"{archive} would unpack to {unpacked:,} bytes from {packed:,}; at most {most_unpacked(packed):,} are written. "
            "Delete it and its record in results/downloads, or put the right one there."
        )


def _are_there(folder: Path, files: Mapping[str, int]) -> bool:
    return all((path := folder / name).is_file() and path.stat().st_size == size for name, size in files.items())
