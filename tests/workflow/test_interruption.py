"""Kill, fill and forbid: after each the same command completes with the undisturbed run's bytes.

``INTERRUPTIONS`` is the number of random moments for each victim (20 takes hours on two cores); ``INTERRUPTION_SEED``
draws them.
"""

from __future__ import annotations

import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from running import TINY

pytestmark = [pytest.mark.slow, pytest.mark.workflow]

MOMENTS = int(os.environ.get("INTERRUPTIONS", "1"))
SEED = int(os.environ.get("INTERRUPTION_SEED", "1"))
TARGET = "results/measures/oscar/scenes/joint_coop/seed1/test"
COMPARED = ("candidates", "pair_scores", "measures", "relevance", "models", "regions")
"""What must come out bit for bit; provenance differs in nothing but is compared too."""
RULES = (
    *("prepare-split", "judge", "extract-regions", "merge-regions", "pretrain", "train", "encode", "index", "retrieve"),
    *("score-candidates", "evaluate"),
)
LIMIT_S = 1800


def command(*options: str) -> list[str]:
    tool = str(Path(sys.executable).parent / "snakemake")
    return [tool, TARGET, "--cores", "2", "--configfile", TINY, *options]


def start(folder: Path, log: str, **more: object) -> subprocess.Popen[bytes]:
    with (folder / log).open("ab") as file:
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            command(), cwd=folder, stdout=file, stderr=subprocess.STDOUT, start_new_session=True, **more
        )


def finish(folder: Path) -> None:
    """The documented command, once, without any option for broken states."""
    done = subprocess.run(command(), cwd=folder, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


def digests(folder: Path) -> dict[str, str]:
    """The sha256 of every file of the compared kinds."""
    roots = [folder / "results" / kind for kind in COMPARED]
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for root in roots
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def end_all(process: subprocess.Popen[bytes], sent: signal.Signals) -> None:
    """Sends the signal to Snakemake and to all that it started."""
    victims = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for victim in victims:
        try:
            victim.send_signal(sent)
        except psutil.NoSuchProcess:
            continue
    process.wait(timeout=LIMIT_S)
    psutil.wait_procs(victims, timeout=60)


def job_of(process: subprocess.Popen[bytes], verb: str) -> psutil.Process | None:
    try:
        below = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return None
    for child in below:
        try:
            line = child.cmdline()
        except psutil.Error:
            continue
        if "python" in Path(line[0]).name and verb in line if line else False:
            return child
    return None


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, copy_workflow: Callable[[Path], Path], stamps_folder: Path) -> Path:
    """A folder in which the run was never disturbed; and an untouched one beside it, ``fresh``."""
    folder = copy_workflow(tmp_path_factory.mktemp("interruption") / "undisturbed")
    tiny = folder / TINY
    tiny.write_text(tiny.read_text().replace("stamps: null", f"stamps: {stamps_folder}"))
    shutil.copytree(folder, folder.parent / "fresh")
    began = time.monotonic()
    finish(folder)
    (folder / "seconds").write_text(str(time.monotonic() - began))
    return folder


@pytest.fixture
def folder(undisturbed: Path, tmp_path: Path) -> Path:
    return shutil.copytree(undisturbed.parent / "fresh", tmp_path / "run")


def require_same(folder: Path, undisturbed: Path) -> None:
    finish(folder)
    expected = digests(undisturbed)
    assert len(expected) > 30
    assert digests(folder) == expected
    left = [
        path for path in (folder / "results").rglob(".*") if path.name.startswith(".") and "snakemake" not in path.name
    ]
    assert not left, "temporary files stay behind"


def require_whole(folder: Path, undisturbed: Path) -> None:
    """Whatever already has a final name has its final content."""
    expected, found = digests(undisturbed), digests(folder)
    wrong = [name for name, digest in found.items() if expected.get(name) != digest and "/state/" not in name]
    wrong = [name for name in wrong if ".shards/" not in name]
    assert not wrong, wrong


@pytest.mark.parametrize("moment", range(MOMENTS))
@pytest.mark.parametrize("rule", RULES)
def test_killing_a_job_changes_no_result(rule: str, moment: int, folder: Path, undisturbed: Path) -> None:
    rng = random.Random(f"{SEED} {rule} {moment}")
    process = start(folder, "first.log")
    killed = False
    while process.poll() is None and not killed:
        if job := job_of(process, rule):
            time.sleep(rng.uniform(0, 6))
            killed = job.is_running()
            if killed:
                job.kill()
        time.sleep(0.05)
    process.wait(timeout=LIMIT_S)
    require_whole(folder, undisturbed)
    require_same(folder, undisturbed)


@pytest.mark.parametrize("moment", range(MOMENTS))
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM], ids=["kill -9", "SIGTERM"])
@pytest.mark.parametrize("whom", ["snakemake", "all"])
def test_ending_snakemake_changes_no_result(
    sent: signal.Signals, whom: str, moment: int, folder: Path, undisturbed: Path
) -> None:
    took = float((undisturbed / "seconds").read_text())
    process = start(folder, "first.log")
    time.sleep(random.Random(f"{SEED} {sent} {whom} {moment}").uniform(0.05, 0.95) * took)
    if process.poll() is None:
        if whom == "all":
            end_all(process, sent)
        else:
            below = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(sent)
            process.wait(timeout=LIMIT_S)
            psutil.wait_procs(below, timeout=LIMIT_S)  # jobs that outlive Snakemake end by themselves
    require_whole(folder, undisturbed)
    require_same(folder, undisturbed)


def test_a_full_disk_changes_no_result(folder: Path, undisturbed: Path) -> None:
    """No file can grow beyond 60 kB, as on a disk that is full: models and features do not fit."""

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    process = start(folder, "first.log", preexec_fn=small_files)
    assert process.wait(timeout=LIMIT_S) != 0
    require_whole(folder, undisturbed)
    require_same(folder, undisturbed)


def test_a_results_folder_that_cannot_be_written_is_said_and_changes_nothing(folder: Path, undisturbed: Path) -> None:
    (folder / "results").write_text("in the way")  # as root, a read-only folder is none
    done = subprocess.run(command(), cwd=folder, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode != 0
    assert "results" in done.stdout + done.stderr
    assert (folder / "results").read_text() == "in the way"
    (folder / "results").unlink()
    require_same(folder, undisturbed)


def test_a_second_snakemake_is_turned_away_and_changes_nothing(folder: Path, undisturbed: Path) -> None:
    first = start(folder, "first.log")
    while not list((folder / ".snakemake" / "locks").glob("*")) and first.poll() is None:
        time.sleep(0.05)
    second = subprocess.run(command(), cwd=folder, capture_output=True, text=True, timeout=LIMIT_S)
    assert second.returncode != 0
    assert "lock" in (second.stdout + second.stderr).lower()
    assert first.wait(timeout=LIMIT_S) == 0
    require_same(folder, undisturbed)
