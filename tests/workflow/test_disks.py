"""Disks that are full or cannot be written: the run says so, and the same command goes on once they can."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import interruptions
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.workflow]

COMMAND = interruptions.command(interruptions.ONE_MEASURE)
MEGABYTES = 300  # of the disk; a whole run of the tiny configuration needs half of it
_CAP_SYS_ADMIN = 21


def may_mount() -> bool:
    """Whether this process may mount file systems, as root of a machine may and root of most containers may not."""
    status = Path("/proc/self/status").read_text()
    granted = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff"))
    return bool(int(granted, 16) >> _CAP_SYS_ADMIN & 1)


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A small disk of its own at ``folder``."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def filled(folder: Path) -> Path:
    """A file that takes all of a disk that is left."""
    path = folder / "filling"
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(2**16)):
                pass
        except OSError:
            return path
    raise AssertionError("the disk took everything")


def full_disk(folder: Path, undisturbed: Path, verbs: Path) -> None:
    """All of the folder, Snakemake's own records included, on a disk that another program fills in mid-run."""
    with disk(folder.parent / "disk") as place:
        folder = shutil.copytree(folder, place / "run")
        process = interruptions.start(folder, COMMAND, verbs=verbs)
        while not (folder / "results" / "regions").exists() and process.poll() is None:
            time.sleep(0.1)
        time.sleep(interruptions.moment("disk").uniform(0, 5))
        filling = filled(place)
        assert process.wait(timeout=interruptions.LIMIT_S) != 0
        assert not interruptions.partial(folder, undisturbed, interruptions.planned(undisturbed))
        filling.unlink()
        interruptions.require_same(folder, undisturbed, COMMAND, verbs=verbs)


def small_files_only(folder: Path, undisturbed: Path, verbs: Path) -> None:
    """No file can grow beyond 60 kB, as on a full disk: models and features do not fit."""
    limited = ["prlimit", "--fsize=60000", *COMMAND]
    assert interruptions.start(folder, limited).wait(timeout=interruptions.LIMIT_S) != 0
    assert not interruptions.partial(folder, undisturbed, interruptions.planned(undisturbed))
    interruptions.require_same(folder, undisturbed, COMMAND, verbs=verbs)


def disk_read_only(folder: Path, undisturbed: Path, verbs: Path) -> None:
    with disk(folder / "results") as place:
        interruptions.finish(folder, interruptions.command(["results/data/scenes/test"]), verbs=verbs)
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        status = interruptions.start(folder, COMMAND, verbs=verbs).wait(timeout=interruptions.LIMIT_S)
        subprocess.run(["mount", "-o", "remount,rw", place], check=True)
        assert status != 0
        assert "Read-only file system" in interruptions.said(folder)
        interruptions.require_same(folder, undisturbed, COMMAND, verbs=verbs)


def file_in_the_way(folder: Path, undisturbed: Path, verbs: Path) -> None:
    (folder / "results").write_text("in the way")
    assert interruptions.start(folder, COMMAND, verbs=verbs).wait(timeout=interruptions.LIMIT_S) != 0
    assert "results" in interruptions.said(folder)
    assert (folder / "results").read_text() == "in the way"
    (folder / "results").unlink()
    interruptions.require_same(folder, undisturbed, COMMAND, verbs=verbs)


Trial = Callable[[Path, Path, Path], None]


@pytest.mark.parametrize("trial", [full_disk, disk_read_only] if may_mount() else [small_files_only, file_in_the_way])
def test_after_a_disk_that_refuses_the_same_command_gives_the_undisturbed_bytes(
    trial: Trial, fresh: Path, undisturbed: Path, verbs: Path, tmp_path: Path
) -> None:
    """By mounting where that is allowed, else by a limit on the size of files and a file in the way of the folder."""
    trial(shutil.copytree(fresh, tmp_path / "run"), undisturbed, verbs)
