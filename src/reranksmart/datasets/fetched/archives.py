"""Published .zip files unpacked, once."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from reranksmart.files.holding import held
from reranksmart.files.reading import most_unpacked
from reranksmart.files.writing import atomic_directory


def unpack(archive: Path, folder: Path) -> int:
    """How many files of the archive lie in ``folder``, after unpacking it there unless all of them do already.

    ValueError where the archive is no whole .zip file or a bomb; then ``folder`` is as it was.
    """
    if not archive.is_file():
        raise ValueError(f"{archive} is gone since it was fetched; delete its record in results/downloads to fetch it.")
    try:
        with zipfile.ZipFile(archive) as packed:
            files = [entry for entry in packed.infolist() if not entry.is_dir()]
            _require_no_bomb(archive, files)
            if not _are_there(folder, files):
                with held(folder):
                    if not _are_there(folder, files):  # else another process unpacked it meanwhile
                        with atomic_directory(folder) as target:
                            packed.extractall(target)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(
            f"{archive} is not a whole .zip file ({error}). Delete it and its record in results/downloads to have it "
            "fetched again, or put the right one there."
        ) from error
    return len(files)


def _require_no_bomb(archive: Path, files: Iterable[zipfile.ZipInfo]) -> None:
    unpacked, packed = sum(entry.file_size for entry in files), archive.stat().st_size
    if unpacked > most_unpacked(packed):
        raise ValueError(
            f"{archive} would unpack to {unpacked:,} bytes from {packed:,}; at most {most_unpacked(packed):,} are written. "
            "Delete it and its record in results/downloads, or put the right one there."
        )


def _are_there(folder: Path, files: Iterable[zipfile.ZipInfo]) -> bool:
    paths = {folder / entry.filename: entry.file_size for entry in files}
    return all(path.is_file() and path.stat().st_size == size for path, size in paths.items())
