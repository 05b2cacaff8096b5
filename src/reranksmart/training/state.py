"""The state of an unfinished training, so that a killed job continues where it was."""

import hashlib
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from reranksmart.files.reading import reading, require_whole_archive
from reranksmart.files.writing import atomic_path
from reranksmart.run.observation import FILE_NAME


@dataclass(frozen=True)
class StateFile:
    """One file of training state; a state made under other settings is not this training's and is ignored.

    ``settings`` are all that a training depends on: values, code, and the identity of what it reads.
    """

    path: Path
    settings: str

    def save(self, state: dict[str, Any]) -> None:
        with atomic_path(self.path) as target:
            torch.save({"settings": self.settings, **state}, target)

    def load(self) -> dict[str, Any] | None:
        """The state, or None where there is none of these settings."""
        if not self.path.exists():
            return None
        with reading(self.path, remedy="Delete it; the training then starts afresh."):
            require_whole_archive(self.path)
            state = torch.load(self.path, map_location="cpu", weights_only=True)  # not the GPU that it was saved from
            if not isinstance(state, dict) or not isinstance(state.get("settings"), str):
                raise ValueError("it is no state of a training")
        if state["settings"] != self.settings:
            print(f"{self.path} was made with other settings, code or data: starting afresh", file=sys.stderr)
            return None
        return state

    def remove(self) -> None:
        """Removes the state and what was shown of it, and their folder once it is empty."""
        self.path.unlink(missing_ok=True)
        self.path.with_name(FILE_NAME).unlink(missing_ok=True)
        with suppress(OSError):
            self.path.parent.rmdir()


def identity_of(places: Iterable[Path]) -> str:
    """A digest of the sizes and times of files and of all files in folders: another one where any was made anew.

    Hidden files do not count: Snakemake keeps its own in the folders that it has made.
    """
    digest = hashlib.sha256()
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and not path.name.startswith("."):
                found = path.stat()
                digest.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


class Termination:
    """Whether the process was asked to end (SIGTERM)."""

    requested = False


@contextmanager
def termination_watched() -> Iterator[Termination]:
    """Turns SIGTERM into a request that the training loop reads between two steps."""
    termination = Termination()

    def request(signum: int, frame: FrameType | None) -> None:
        termination.requested = True

    previous = signal.signal(signal.SIGTERM, request)
    try:
        yield termination
    finally:
        signal.signal(signal.SIGTERM, previous)
