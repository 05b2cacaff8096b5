"""Jobs that a killed Snakemake left in a cluster's queue: found by the folder's own logs, cancelled by the next one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

_PATIENCE_S = 180
_ANSWER_S = 60
_RUN = re.compile(r"SLURM run ID: ([\w-]+)")  # the name that Snakemake's plugin gives to every job of a run


def cancel_queued_jobs(folder: Path, *, patience_s: float = _PATIENCE_S) -> None:
    """Cancels what earlier Snakemakes of ``folder`` left in the queue; returns when nothing of it runs any more.

    A training that is cancelled saves its state first. A folder in which nothing was ever submitted asks no cluster.
    Raises RuntimeError where the queue does not answer, or a job is still there after ``patience_s`` seconds.
    """
    runs = submitted_runs(folder)
    if not runs or shutil.which("squeue") is None:
        return
    if not (jobs := _queued(runs)):
        return
    print(f"cancelling jobs in the queue of a run that was killed here: {', '.join(jobs)}", file=sys.stderr)
    _answer("scancel", *jobs)
    deadline = time.monotonic() + patience_s
    while jobs := _queued(runs):
        if time.monotonic() > deadline:
            raise RuntimeError(
                f"jobs of a killed run are still in the queue {patience_s:.0f} seconds after they were cancelled:"
                f" {', '.join(jobs)}. Two jobs must not make the same files. Wait until `squeue --me` shows none of"
                " them, then give the same command again"
            )
        time.sleep(1)


def submitted_runs(folder: Path) -> list[str]:
    """The names of the runs that submitted jobs from the folder, as Snakemake's logs there tell them."""
    found: set[str] = set()
    for log in (folder / ".snakemake" / "log").glob("*.log"):
        with log.open(encoding="utf-8", errors="replace") as lines:
            found.update(match[1] for line in lines if (match := _RUN.search(line)))
    return sorted(found)


def _queued(runs: list[str]) -> list[str]:
    """Their jobs that wait, run or are about to end, as ``scancel`` takes them: ``12``, ``13_4``, ``14_[2-9]``."""
    return _answer("squeue", "--noheader", "--format=%i", f"--name={','.join(runs)}").split()


def _answer(*words: str) -> str:
    try:
        return subprocess.run(words, check=True, capture_output=True, text=True, timeout=_ANSWER_S).stdout
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as failed:
        said = getattr(failed, "stderr", None) or "no answer"
        raise RuntimeError(
            f"{words[0]} failed ({str(said).strip()}), and jobs of an earlier run of this folder may be in the queue."
            f" Two jobs must not make the same files. Try again when `squeue --me` answers; is the cluster of those"
            " runs out of reach from here for good, then remove .snakemake/log"
        ) from failed
