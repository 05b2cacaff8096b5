"""Published .zip files unpacked, once."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from reranksmart.writing import atomic_directory


def unpack(archive: Path, folder: Path) -> int:
    """How many files of the archive lie in ``folder``, after unpacking it there unless all of them do already.

    ValueError where the archive is no whole .zip file; then ``folder`` is as it was.
    """
    if not archive.is_file():
        raise ValueError(f"{archive} is gone since it was fetched; delete its record in results/downloads to fetch it.")
    try:
        with zipfile.ZipFile(archive) as packed:
            files = [entry for entry in packed.infolist() if not entry.is_dir()]
            if not all(_is_there(folder / entry.filename, entry.file_size) for entry in files):
                with atomic_directory(folder) as target:
                    packed.extractall(target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(
            f"{archive} is not a whole .zip file ({error}). Delete it and its record in results/downloads to have it "
            "fetched again, or put the right one there."
        ) from error
    return len(files)


def _is_there(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
