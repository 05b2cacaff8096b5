"""The processes that run on this machine; one that ends meanwhile, or is another user's, is no error."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil


def existed(pid: int, *, at: float) -> bool:
    """Whether the process of this number is there and was at a time (seconds since the epoch): numbers are given anew."""
    try:
        return psutil.Process(pid).create_time() <= at
    except psutil.Error:
        return False


def processes_in(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder.resolve()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def words_of(process: psutil.Process) -> list[str]:
    """Its command line; empty where it has ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def children_of(process: psutil.Process) -> list[psutil.Process]:
    """All that it started and that these started; empty where it has ended."""
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def logs_being_written() -> set[Path]:
    """The logs of all rules' jobs that run on this machine, in any folder: each one's output goes through ``tee``."""
    found = set()
    for process in psutil.process_iter():
        match words_of(process):
            case ["tee", log]:
                with suppress(psutil.Error):
                    found.add((Path(process.cwd()) / log).resolve())
    return found
