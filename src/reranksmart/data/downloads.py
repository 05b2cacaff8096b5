"""Published files by download: each of ``sources.csv`` from the first mirror that gives the right bytes."""

from __future__ import annotations

import fcntl
import hashlib
import re
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reranksmart.data.published import read_lines, read_table
from reranksmart.data.transfer import Interrupted, Refused, discard, transfer
from reranksmart.writing import atomic_path

SOURCES = Path(__file__).with_name("sources.csv")
LONGEST_WAIT_S = 120.0
# What a user accepts by naming the key in the configuration.
TERMS = {
    "flickr30k": "Flickr30k is provided for non-commercial research and education only, and use of its images must "
    "abide by the Flickr Terms of Use.",
    "multi30k": "Multi30k is derived from Flickr30k: it is provided for non-commercial research and education only, "
    "and use of the images must abide by the Flickr Terms of Use.",
}
_COLUMNS = (
    "asset",
    "file",
    "urls",
    "bytes",
    "checksum",
    "checksum_from",
    "terms",
    "licence",
    "licence_page",
    "state",
    "state_date",
)
_CHECKSUM = re.compile(r"md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}")


class AssetUnavailableError(FileNotFoundError):
    """No mirror gives the file. The message says what each answered and where to put a copy got by hand."""


@dataclass(frozen=True)
class Source:
    """One published file: where it is, in order of preference, and how to tell that it is the right one.

    ``file`` is its path below the download folder; ``checksum`` is ``md5:...`` or ``sha256:...``; ``terms`` is the key
    of TERMS that a user must accept first; ``state`` is the last known one with its date.
    """

    asset: str
    file: str
    urls: tuple[str, ...]
    size: int | None
    checksum: str | None
    terms: str | None
    licence: str
    licence_page: str
    state: str


def read_sources(path: Path = SOURCES) -> dict[str, Source]:
    """The source of each file, in the order of the table; ValueError names the line of a bad row."""
    sources: dict[str, Source] = {}
    for line, row in read_table(path, columns=_COLUMNS):
        source = Source(
            row["asset"],
            row["file"],
            tuple(row["urls"].split()),
            int(row["bytes"]) if row["bytes"].isdecimal() else None,
            row["checksum"] or None,
            row["terms"] or None,
            row["licence"],
            row["licence_page"],
            f"{row['state']} ({row['state_date']})" if row["state_date"] else row["state"],
        )
        if problem := _problem_of(source, row["bytes"]) or (
            "the file is listed twice" if row["file"] in sources else ""
        ):
            raise ValueError(f"{path}, line {line} ({source.file!r}): {problem}. Mend the row.")
        sources[source.file] = source
    return sources


def sources_below(name: str, sources: Mapping[str, Source]) -> list[Source]:
    """The source of this file, or those of all files below this folder; ValueError where there is none."""
    found = [source for file, source in sources.items() if file == name or file.startswith(f"{name}/")]
    if not found:
        raise ValueError(f"no source is called {name!r}; there are {list(sources)}. Name one, or a folder of them.")
    return found


def recorded(source: Source, folder: Path) -> dict[str, str | int | None]:
    """Size in bytes and checksum of a fetched file, for the record of its download."""
    path = folder / source.file
    return {"bytes": path.stat().st_size, "checksum": _expected(path, source), "licence": source.licence}


def _problem_of(source: Source, size: str) -> str:
    place = PurePosixPath(source.file)
    if not source.asset or not source.file or place.is_absolute() or ".." in place.parts:
        return "an asset's name and a path below the download folder are needed"
    if not source.urls or not all(url.startswith(("https://", "http://")) for url in source.urls):
        return f"one or more http or https URLs, parted by spaces, are needed, got {list(source.urls)}"
    if size and source.size is None:
        return f"bytes must be a number or empty, got {size!r}"
    if source.checksum and not _CHECKSUM.fullmatch(source.checksum):
        return f"a checksum is md5:<32 digits> or sha256:<64 digits>, got {source.checksum!r}"
    if source.terms and source.terms not in TERMS:
        return f"terms {source.terms!r} are unknown; there are {list(TERMS)}"
    return "" if source.licence_page.startswith("http") else "the page of the licence is needed"


def fetch(
    source: Source,
    folder: Path,
    *,
    accepted: Collection[str] = (),
    attempts: int = 5,
    timeout_s: float = 60.0,
    wait_s: float = 2.0,
) -> Path:
    """The path of the file below ``folder``, verified: what lies there already, or fetched.

    A mirror is left for the next one after its final answer or after ``attempts`` in a row that brought nothing new;
    between attempts the wait doubles, from ``wait_s``. ``timeout_s`` is the longest silence of a server. A file without
    a published checksum has its sha256 recorded beside it the first time, and is compared with that ever after.

    Raises AssetUnavailableError if no mirror gives the file, and ValueError if a file lies there that is another one,
    or if its terms are not in ``accepted``.
    """
    path = folder / source.file
    if path.exists():
        return _verified(path, source)
    if source.terms and source.terms not in accepted:
        raise ValueError(
            f"{source.file} may be fetched only under its terms: {TERMS[source.terms]} Read {source.licence_page}; to "
            f"accept them add {source.terms!r} to the accepted terms of the configuration."
        )
    answers = []
    with _alone(path):
        if path.exists():  # another process brought it meanwhile
            return _verified(path, source)
        for url in source.urls:
            try:
                _download(url, path, source, attempts=attempts, timeout_s=timeout_s, wait_s=wait_s)
            except Refused as refusal:
                answers.append(f"\n  {url}: {refusal}")
            else:
                _record(path, source)
                return path
    raise AssetUnavailableError(
        f"{source.file} of {source.asset!r} cannot be had. Tried:{''.join(answers)}\nLast known state: "
        f"{source.state or 'none'}. Licence: {source.licence}, {source.licence_page}\n"
        f"Put a copy got by hand at {path}; it is verified and used."
    )


def _download(url: str, path: Path, source: Source, *, attempts: int, timeout_s: float, wait_s: float) -> None:
    """Moves the file into place once it is whole and right, or raises Refused."""
    part = path.with_name(f".{path.name}.part")
    provable = _expected(path, source) is not None
    fruitless = made = most = 0
    while True:
        made += 1
        try:
            resumed = transfer(url, part, size=source.size, provable=provable, timeout_s=timeout_s)
            problem = _problem_with(part, source, _expected(path, source))
            if not problem:
                part.replace(path)
                discard(part)
                return
            discard(part)
            if not resumed:
                raise Refused(problem)
            last = Interrupted(f"{problem}, after going on with an earlier part")
        except Interrupted as error:
            last = error
        got = part.stat().st_size if part.exists() else 0
        fruitless = 1 if got > most else fruitless + 1
        most = max(most, got)
        if fruitless >= attempts:
            raise Refused(f"{last} ({made} attempts)")
        time.sleep(min(last.wait_s if last.wait_s is not None else wait_s * 2 ** (fruitless - 1), LONGEST_WAIT_S))


def _verified(path: Path, source: Source) -> Path:
    if problem := _problem_with(path, source, _expected(path, source)):
        raise ValueError(
            f"{path} is not the published file: {problem}. Delete it to have it fetched again, or put the right one "
            f"there ({source.licence_page})."
        )
    _record(path, source)
    return path


def _problem_with(path: Path, source: Source, expected: str | None) -> str:
    """What is wrong with a file, or nothing."""
    size = path.stat().st_size
    if source.size is not None and size != source.size:
        return f"it has {size:,} bytes, not {source.size:,}"
    if expected is None:
        return ""
    algorithm = expected.split(":")[0]
    found = _digest(path, algorithm)
    if found == expected:
        return ""
    if source.checksum:
        return f"its checksum is {found}, not the published {expected}"
    return (
        f"its checksum is {found}, not the {expected} that was recorded the first time; if the publisher changed "
        f"the file and you trust the change, delete {source.file}.sha256 beside it"
    )


def _expected(path: Path, source: Source) -> str | None:
    """The checksum of the right file: the published one, else the one recorded the first time, else None."""
    if source.checksum:
        return source.checksum
    record = _record_path(path)
    if not record.exists():
        return None
    checksum = f"sha256:{' '.join(read_lines(record)).split(' ')[0]}"
    if not _CHECKSUM.fullmatch(checksum):
        raise ValueError(f"{record} holds no sha256 and a file name. Delete it to have it recorded again.")
    return checksum


def _record(path: Path, source: Source) -> None:
    """Writes the file's sha256 beside it, in the form of sha256sum, if nothing else tells the right file."""
    if _expected(path, source) is None:
        with atomic_path(_record_path(path)) as record:
            record.write_text(f"{_digest(path, 'sha256').removeprefix('sha256:')}  {path.name}\n")


def _record_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Waits until no other process fetches this file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name}.lock")
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
        if path.exists():
            lock.unlink(missing_ok=True)  # whoever waits for it finds the file
