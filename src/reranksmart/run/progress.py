"""Progress of long steps: a bar with rate and time left on a terminal, plain lines without one."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")

_SECONDS_BETWEEN_LINES = 15.0
_SILENT = ContextVar("_SILENT", default=False)


@contextmanager
def silent() -> Iterator[None]:
    """Reports nothing within: for steps so short that they would only chatter."""
    token = _SILENT.set(True)
    try:
        yield
    finally:
        _SILENT.reset(token)


def progress(items: Iterable[T], *, what: str, total: int, start: int = 0) -> Iterator[T]:
    """The items unchanged, while their count, rate and time left are reported on stderr."""
    if _SILENT.get():
        yield from items
        return
    if sys.stderr.isatty():
        yield from tqdm(items, desc=what, total=total, initial=start, dynamic_ncols=True)
        return
    began = last = time.monotonic()
    done = start
    for item in items:
        yield item
        done += 1
        now = time.monotonic()
        if now - last >= _SECONDS_BETWEEN_LINES or done == total:
            rate = (done - start) / max(now - began, 1e-9)
            left = tqdm.format_interval((total - done) / rate)
            print(f"{what}: {done:,}/{total:,}, {rate:,.1f}/s, {left} left", file=sys.stderr, flush=True)
            last = now
