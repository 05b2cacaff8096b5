"""A rule's job ends with its Snakemake, also where that was killed and bash and tee stand between."""

import os
import signal
import threading
import time
from contextlib import suppress

import psutil

_SECONDS_TO_SAVE = 120  # of a training


def end_with_parent() -> None:
    """Has this process end within seconds of the Snakemake that started it; a training saves its state first.

    The Snakefile gives each job that Snakemake's number in ``RERANKSMART_PARENT``; a verb called by hand has none.
    """
    if number := int(os.environ.get("RERANKSMART_PARENT", 0)):
        threading.Thread(target=_end_after, args=(number,), daemon=True).start()


def _end_after(number: int) -> None:
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(number)
        while parent.is_running() and parent.status() != psutil.STATUS_ZOMBIE:
            time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_SECONDS_TO_SAVE)
    os.kill(os.getpid(), signal.SIGKILL)
