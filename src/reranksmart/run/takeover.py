"""What a killed Snakemake leaves, a lock and jobs in a queue or orphaned, removed by the next one in its folder."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from reranksmart.run.processes import children_of, processes_in, words_of
from reranksmart.run.queued_jobs import cancel_queued_jobs

_PATIENCE_S = 120
_HOST_FILE = "host"


def take_over(folder: Path) -> None:
    """Removes the lock of a Snakemake that was killed in ``folder`` on this machine, after ending its jobs.

    Those in a cluster's queue are cancelled, also where there is no lock any more; orphans on this machine are ended.
    A training that is ended so saves its state first. Where a Snakemake still runs in the folder, or the last one ran
    on another machine or was another user's, whose processes cannot be seen, nothing is touched: Snakemake itself then
    says that the folder is locked.
    """
    locks = sorted((folder / ".snakemake" / "locks").glob("*.lock"))
    host = folder / ".snakemake" / _HOST_FILE
    here = host.exists() and host.read_text() == socket.gethostname()
    if (locks and not (here and _ours(locks))) or _snakemakes(folder):
        return
    cancel_queued_jobs(folder)
    if locks:
        _end_orphans(folder)
        print("removing the lock of a run that was killed here", file=sys.stderr)
        for lock in locks:
            lock.unlink(missing_ok=True)
    else:
        host.parent.mkdir(exist_ok=True)
        host.write_text(socket.gethostname())


def _ours(locks: list[Path]) -> bool:
    return os.geteuid() == 0 or {lock.stat().st_uid for lock in locks} == {os.geteuid()}


def _end_orphans(folder: Path) -> None:
    if orphans := _orphans(folder):
        print(f"ending {len(orphans)} processes of a run that was killed here", file=sys.stderr)
        for orphan in orphans:
            with suppress(psutil.NoSuchProcess):  # ended with the one before
                orphan.terminate()
        for orphan in psutil.wait_procs(orphans, timeout=_PATIENCE_S)[1]:
            with suppress(psutil.NoSuchProcess):
                orphan.kill()


def _snakemakes(folder: Path) -> list[psutil.Process]:
    """The running Snakemakes of this folder, but for those of single jobs, this process and those that started it."""
    ours = {process.pid for process in [psutil.Process(), *psutil.Process().parents()]}
    others = [process for process in processes_in(folder) if process.pid not in ours]
    return [process for process in others if _is_a_whole_run(words_of(process))]


def _is_a_whole_run(words: list[str]) -> bool:
    return any(Path(word).name == "snakemake" for word in words[:3]) and "--mode" not in words  # jobs are given a mode


def _orphans(folder: Path) -> list[psutil.Process]:
    """The jobs of this folder's rules: verbs whose output goes to a log of the results folder, and what they started."""
    shells = [
        process
        for process in processes_in(folder)
        if any("reranksmart " in word and "results/logs/" in word for word in words_of(process))
    ]
    return [process for shell in shells for process in (shell, *children_of(shell))]
