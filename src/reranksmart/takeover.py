"""What a killed Snakemake leaves in its folder, a lock and orphaned jobs, removed by the next one."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import psutil

_PATIENCE_S = 120
_HOST_FILE = "host"


def take_over(folder: Path) -> None:
    """Removes the lock of a Snakemake that was killed in ``folder`` on this machine, after ending its orphaned jobs.

    A training that is ended so saves its state first. Where a Snakemake still runs in the folder, or the last one ran
    on another machine, nothing is touched: Snakemake itself then says that the folder is locked.
    """
    locks = sorted((folder / ".snakemake" / "locks").glob("*.lock"))
    host = folder / ".snakemake" / _HOST_FILE
    if not locks:
        host.parent.mkdir(exist_ok=True)
        host.write_text(socket.gethostname())
        return
    if not host.exists() or host.read_text() != socket.gethostname() or _snakemakes(folder):
        return
    if orphans := _orphans(folder):
        print(f"ending {len(orphans)} processes of a run that was killed here", file=sys.stderr)
        for orphan in orphans:
            orphan.terminate()
        for orphan in psutil.wait_procs(orphans, timeout=_PATIENCE_S)[1]:
            orphan.kill()
    print("removing the lock of a run that was killed here", file=sys.stderr)
    for lock in locks:
        lock.unlink(missing_ok=True)


def _snakemakes(folder: Path) -> list[psutil.Process]:
    """The running Snakemakes of this folder, but for this process and those that started it."""
    ours = {process.pid for process in [psutil.Process(), *psutil.Process().parents()]}
    return [
        process
        for process in _processes_in(folder)
        if process.pid not in ours and any(Path(word).name == "snakemake" for word in _words(process)[:3])
    ]


def _orphans(folder: Path) -> list[psutil.Process]:
    """The jobs of this folder's rules: verbs whose output goes to a log of the results folder, and what they started."""
    shells = [
        process
        for process in _processes_in(folder)
        if any("reranksmart " in word and "results/logs/" in word for word in _words(process))
    ]
    return [process for shell in shells for process in (shell, *_children(shell))]


def _processes_in(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder.resolve()):
                found.append(process)
        except psutil.Error:
            continue  # ended meanwhile, or another user's
    return found


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []
