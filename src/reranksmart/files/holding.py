"""The system's lock on what a process writes: another writer waits, on whichever machine, and says for whom."""

import errno
import fcntl
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TextIO

_HELD: set[tuple[int, Path]] = set()  # by each thread of this process
_WITHOUT_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keeps all others from writing ``path`` meanwhile; what this thread holds already stays held.

    Waits for whoever holds it, with a line on stderr that names host, job and since when. The lock is on a hidden file
    beside ``path`` and ends with its process, however that ends. A file system without locks is named on stderr.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    place = path.parent.resolve() / path.name
    key = (threading.get_ident(), place)
    if key in _HELD:
        yield
        return
    lock = place.with_name(f".{place.name}.lock")
    file = _locked(lock, path)
    _HELD.add(key)
    try:
        yield
    finally:
        _HELD.discard(key)
        lock.unlink(missing_ok=True)  # before it is free: who waits for this file looks whether it is still there
        file.close()


def _locked(lock: Path, path: Path) -> TextIO:
    while True:
        file = lock.open("a+", encoding="utf-8")
        try:
            _wait(file, path)
            with suppress(OSError):  # gone, or stale on a network's disk: another writer has finished
                if os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                    file.truncate(0)
                    print(_this_job(), file=file, flush=True)
                    return file
        except BaseException:
            file.close()
            raise
        file.close()


def _wait(file: TextIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "another process"
        print(f"{path} is being written by {holder}: waiting until that has ended", file=sys.stderr, flush=True)
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise
        print(f"{path}: its file system has no locks; let no second job write it meanwhile", file=sys.stderr)


def _this_job() -> str:
    """``reranksmart train on node3, SLURM job 12, process 345, since 2026-11-28 07:41``."""
    words = [Path(sys.argv[0]).name, *sys.argv[1:2]]
    cluster = f", SLURM job {os.environ['SLURM_JOB_ID']}" if "SLURM_JOB_ID" in os.environ else ""
    since = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return f"{' '.join(words)} on {socket.gethostname()}{cluster}, process {os.getpid()}, since {since}"
