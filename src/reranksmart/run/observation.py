"""How far a training is, in a small file beside its state, so that it can be seen from outside while it runs."""

import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reranksmart.files.storage import read_json, write_json

_SECONDS_BETWEEN_WRITES = 5.0
FILE_NAME = "progress.json"


@dataclass(frozen=True)
class Observation:
    """A running training as its file shows it; recall in percent, times in seconds, ``updated`` since the epoch."""

    step: int
    steps: int
    loss: dict[str, float]
    dev_mean_recall: float | None
    steps_per_second: float
    seconds_left: float
    host: str
    pid: int
    updated: float

    @classmethod
    def read(cls, path: Path) -> "Observation | None":
        """What the file says; None where there is none."""
        try:
            return cls(**read_json(path))
        except FileNotFoundError:
            return None


class Observer:
    """Writes the file of a training of ``steps`` steps that starts at step ``start``, at most every five seconds."""

    def __init__(self, path: Path, *, start: int, steps: int) -> None:
        self._path, self._start, self._steps = path, start, steps
        self._began = time.monotonic()
        self._written = float("-inf")

    def saw(self, step: int, losses: Mapping[str, Sequence[float]], history: Sequence[Mapping[str, Any]]) -> None:
        """Notes that ``step`` steps are done, with the latest losses of each task and the history so far."""
        now = time.monotonic()
        if now - self._written < _SECONDS_BETWEEN_WRITES:
            return
        self._written = now
        rate = (step - self._start) / max(now - self._began, 1e-9)
        recalls = [row["dev_mean_recall"] for row in history if "dev_mean_recall" in row]
        seen = Observation(
            step=step,
            steps=self._steps,
            loss={task: sum(values) / len(values) for task, values in losses.items() if values},
            dev_mean_recall=recalls[-1] if recalls else None,
            steps_per_second=rate,
            seconds_left=(self._steps - step) / rate,
            host=socket.gethostname(),
            pid=os.getpid(),
            updated=time.time(),
        )
        write_json(self._path, asdict(seen))
