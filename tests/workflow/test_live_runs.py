"""A run that is at work, and what else happens in its folder: looks at it, a kill, the command given once more."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import interruptions
import numpy as np
import psutil
import pytest
from PIL import Image
from running import snakemake

from reranksmart.files.holding import held

MADE = Path("results/stamps/pictures")
TARGET, CONFIGURATION = ["results/stamps/stamps.jsonl"], ["--configfile", "config.yaml", "stamps.yaml"]
COMMAND = (*TARGET, "--cores", "1", *CONFIGURATION)


@pytest.fixture
def folder(tmp_path: Path, copy_workflow: Callable[[Path], Path]) -> Path:
    """A workflow whose first job is short."""
    stamp = tmp_path / "source" / "stamps" / "food" / "apple.png"
    stamp.parent.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (120, 160, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    pixels[:40, :40, 3] = 0
    Image.fromarray(pixels).save(stamp)
    stamp.with_suffix(".txt").write_text("An apple.\nde.utf8=Ein Apfel.\nfr.utf8=Une pomme.\ncs.utf8=Jablko.\n")
    folder = copy_workflow(tmp_path / "run")
    (folder / "stamps.yaml").write_text(f"datasets: {{scenes: {{stamps: {tmp_path / 'source'}}}}}\n")
    return folder


@pytest.fixture
def live(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Snakemake, started as some start it, whose job waits for the folder that ``held`` keeps from it."""
    with (folder / "said").open("wb") as said:
        run = subprocess.Popen(
            [sys.executable, "-u", "-m", "snakemake", *COMMAND], cwd=folder, stdout=said, stderr=subprocess.STDOUT
        )
    yield run
    run.kill()
    run.wait()


def wait_for_its_job(folder: Path, live: subprocess.Popen[bytes]) -> None:
    log = folder / "results" / "logs" / "fetch_stamps.log"
    deadline = time.monotonic() + 300
    while not (log.exists() and "is being written by" in log.read_text()):
        ended = live.poll() is not None or time.monotonic() > deadline
        assert not ended, (folder / "said").read_text()
        time.sleep(0.1)


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file but what Snakemake keeps of each of its calls: what it said, and which files it saw."""
    found = {str(path.relative_to(folder)): path.stat() for path in folder.rglob("*") if path.is_file()}
    notes = ("said", ".snakemake/log/", ".snakemake/iocache/")
    return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in found.items() if not path.startswith(notes)}


def test_looks_at_a_live_run_change_nothing(folder: Path, live: subprocess.Popen[bytes]) -> None:
    with held(folder / MADE):
        wait_for_its_job(folder, live)
        log = (folder / "results" / "logs" / "fetch_stamps.log").read_text()
        assert re.search(rf"pictures is being written by \S+.* on \S+, process {os.getpid()}, since \d{{4}}-", log)
        before = files(folder)
        assert any("/locks/" in path for path in before)
        for look in (["--dry-run", "--cores", "1"], ["--summary"], ["--lint"], ["--list-rules"], ["--dag"]):
            seen = snakemake(folder, *TARGET, *look, *CONFIGURATION)
            assert seen.returncode == 0, seen.stdout
            assert live.poll() is None
            assert files(folder) == before, look
    assert live.wait(timeout=300) == 0, (folder / "said").read_text()


def test_a_killed_run_ends_its_jobs_and_goes_on_after_an_unlock(folder: Path, live: subprocess.Popen[bytes]) -> None:
    with held(folder / MADE):
        wait_for_its_job(folder, live)
        jobs = interruptions.children_of(psutil.Process(live.pid))
        assert jobs
        live.kill()
        live.wait()
        assert not psutil.wait_procs(jobs, timeout=60)[1]
    refused = snakemake(folder, *COMMAND)
    assert refused.returncode != 0
    assert "can be removed with the --unlock argument" in " ".join(refused.stdout.split())
    assert snakemake(folder, *COMMAND, "--unlock").returncode == 0
    done = snakemake(folder, *COMMAND)
    assert done.returncode == 0, done.stdout
    assert not interruptions.leftovers(folder)
