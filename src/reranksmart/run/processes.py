"""The processes of this machine; one that ends meanwhile, or is another user's, is no error."""

from contextlib import suppress
from pathlib import Path

import psutil


def existed(pid: int, *, at: float) -> bool:
    """Whether the process of this number is there and was at a time (seconds since the epoch): numbers are given anew."""
    try:
        return psutil.Process(pid).create_time() <= at
    except psutil.Error:
        return False


def logs_being_written() -> set[Path]:
    """The logs of all rules' jobs that run on this machine, in any folder: each one's output goes through ``tee``."""
    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            match process.cmdline():
                case ["tee", log]:
                    found.add((Path(process.cwd()) / log).resolve())
    return found
