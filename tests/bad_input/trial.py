"""One damaged input at a time, read under a watch: how long, what came out, what lies on the disk afterwards."""

from __future__ import annotations

import hashlib
import random
import re
import shutil
import signal
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import reranksmart

from .mutations import mutations_of
from .readers import NotRead, Reader

PACKAGE = Path(reranksmart.__file__).parent
OWN_ERRORS = ("ValueError", "FileNotFoundError", "ConfigError", "AssetUnavailableError")
LONGEST_SECONDS = 20
_ADVICE = re.compile(
    r"\b(again|remove|mend|give|use|fetch|delete|make|replace|add|check|put|convert|rename|choose|restore|change|"
    r"leave|need|needs|must|are read|save|unpack|set|did you mean|install|download|name|is it|cannot be)\b",
    re.IGNORECASE,
)


_ID = re.compile(r"image '\w+/[\w.]+'")  # names the file as well as a path does


class HangError(BaseException):
    """An input was read for longer than ``LONGEST_SECONDS``."""


@dataclass(frozen=True)
class Outcome:
    """``kind``: same or other (read, with the whole file's value or another one), refused, or a fault of ours."""

    kind: str
    message: str


@contextmanager
def limited_time() -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise HangError

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, LONGEST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def fingerprint(value: Any) -> Any:
    """The value as something that can be compared, arrays and records included."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
    if isinstance(value, dict):
        return {repr(key): fingerprint(found) for key, found in value.items()}
    if isinstance(value, list | tuple):
        return [fingerprint(found) for found in value]
    if hasattr(value, "__dataclass_fields__"):
        return [fingerprint(getattr(value, name)) for name in value.__dataclass_fields__]
    return repr(value)


def tree(folder: Path) -> dict[str, str]:
    """What lies below a folder, by path; links are not followed."""
    found = {}
    for path in sorted(folder.rglob("*")):
        kind = "link" if path.is_symlink() else "folder" if path.is_dir() else path.read_bytes().hex()
        found[path.relative_to(folder).as_posix()] = kind
    return found


def attempt(reader: Reader, place: Path, expected: Any) -> Outcome:
    """Reads ``place/in``; what may be written goes below ``place/out``."""
    before = tree(place)
    try:
        with limited_time(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = fingerprint(reader.read(place / "in", place / "out"))
    except HangError:
        return Outcome("hang", f"still reading after {LONGEST_SECONDS} s")
    except NotRead as error:
        return Outcome("refused by Snakemake", str(error))
    except Exception as error:
        outcome = _judge(error, place)
    else:
        outcome = Outcome("same" if found == expected else "other", "")
    after = tree(place)
    if outside := {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}:
        outside = {path for path in outside if not path.startswith("out/") or outcome.kind == "refused"}
        if outside:
            return Outcome("written outside or half-written", f"{sorted(outside)[:3]} ({outcome.message[:200]})")
    return outcome


def _judge(error: Exception, place: Path) -> Outcome:
    message = str(error)
    raised_in = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
    last = f"{type(error).__name__} from {raised_in.name}: {message[:300]}"
    if type(error).__name__ not in OWN_ERRORS or PACKAGE not in raised_in.parents:
        return Outcome("bare error", last)
    if type(error).__name__ != "ConfigError" and str(place) not in message and not _ID.search(message):
        return Outcome("message without place", last)
    if not _ADVICE.search(message.replace(str(place), "")):
        return Outcome("message without advice", last)
    if len(message) > 50_000:
        return Outcome("endless message", last)
    return Outcome("refused", message)


def whole(reader: Reader, place: Path) -> Any:
    """Writes the undamaged input to ``place/in`` and gives what is read of it."""
    shutil.rmtree(place, ignore_errors=True)
    (place / "in").mkdir(parents=True)
    (place / "out").mkdir()
    reader.write(place / "in")
    return fingerprint(reader.read(place / "in", place / "out"))


def damaged(reader: Reader, place: Path, kept: Path, rng: random.Random) -> str:
    """Writes the input anew with one of its files damaged; how it was."""
    shutil.rmtree(place)
    (place / "out").mkdir(parents=True)
    shutil.copytree(kept, place / "in", symlinks=True)
    files = sorted(path for path in (place / "in").rglob("*") if path.is_file())
    path = rng.choice(files)
    mutation = rng.choice(mutations_of(path))
    return f"{path.name}, {mutation.__name__}: {mutation(path, rng)}"
