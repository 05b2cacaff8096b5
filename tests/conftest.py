"""The real photographs, for the tests that need them."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from reranksmart.datasets.composed.stamp_archive import fetch_stamps


@pytest.fixture(scope="session")
def stamps_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked stamps: those of a run in this checkout, or fetched once for all test processes."""
    made = Path("results/stamps/pictures")
    if made.is_dir():
        return made.resolve()
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base  # pytest-xdist gives each process a folder below
    folder = shared / "stamps"
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            fetch_stamps(folder)
    return folder
