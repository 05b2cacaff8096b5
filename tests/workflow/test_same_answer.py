"""Same configuration, seed, threads and processor: the same bytes, with other cores, folder and hash seed.

There is no number of loader workers to vary: batches are made in one process, in order.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import interruptions
import pytest
from forked_verbs import forked_verbs
from running import TINY

pytestmark = pytest.mark.workflow

JOINT = "oscar/scenes/joint"
MEASURE = f"results/measures/{JOINT}_coop/seed1/test"


def run(folder: Path, targets: Sequence[str], *, cores: int, hash_seed: str, verbs: Path) -> None:
    command = [interruptions.SNAKEMAKE, *targets, "--cores", str(cores), "--configfile", TINY]
    environment = {**os.environ, "PATH": f"{verbs}:{os.environ['PATH']}", "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


def test_training_and_measuring_again_gives_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "elsewhere" / "again", symlinks=True)
    again = [
        folder / "results" / f"models/{JOINT}/seed1",
        folder / "results" / f"embeddings/{JOINT}/seed1/scenes/test",
        folder / "results" / f"candidates/{JOINT}/seed1/scenes.test",
        folder / "results" / f"pair_scores/{JOINT}-joint/seed1/scenes.test",
        folder / MEASURE,
    ]
    for path in again:
        shutil.rmtree(path)
    with forked_verbs(tmp_path / "bin", hash_seed="7") as verbs:
        run(folder, [MEASURE], cores=1, hash_seed="7", verbs=verbs)
    for path in again:
        before = finished / path.relative_to(folder)
        assert interruptions.digest(path) == interruptions.digest(before), path
        assert max(each.stat().st_mtime for each in path.rglob("*")) > max(
            each.stat().st_mtime for each in before.rglob("*")
        )


@pytest.mark.slow
def test_the_whole_run_gives_the_same_bytes_again(fresh: Path, undisturbed: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(fresh, tmp_path / "elsewhere" / "deeper" / "run")
    with forked_verbs(tmp_path / "bin", hash_seed="7") as verbs:
        run(folder, interruptions.EVERYTHING, cores=1, hash_seed="7", verbs=verbs)
    jobs = [job for job in interruptions.planned(folder) if not job.temporary]
    needed = interruptions.needs(jobs)
    timeless = [job for job in jobs if not interruptions.holds_times(job, needed[job])]
    assert len(timeless) > 80
    wrong = [
        path
        for job in timeless
        for path in job.outputs
        if interruptions.digest(folder / path) != interruptions.digest(undisturbed / path)
    ]
    assert not wrong
