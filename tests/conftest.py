"""What test processes share, and the order in which they take the tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from hypothesis import settings

from reranksmart.datasets.composed.stamp_archive import fetch_stamps

if TYPE_CHECKING:
    from playwright.sync_api import Browser

settings.register_profile("any machine", deadline=None)  # how long an example takes is no claim
settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole runs first, which are the longest: the last of two processes then ends soon after the other."""
    items.sort(key=lambda item: item.get_closest_marker("workflow") is None)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all test processes of this session have."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base  # pytest-xdist gives each process a folder below


@pytest.fixture(scope="session")
def stamps_folder(shared_folder: Path) -> Path:
    """The unpacked stamps: those of a run in this checkout, or fetched once for all test processes."""
    made = Path("results/stamps/pictures")
    if made.is_dir():
        return made.resolve()
    folder = shared_folder / "stamps"
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            fetch_stamps(folder)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.fail("no chromium on the PATH; install one (Debian: apt-get install chromium) to test pages")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()
