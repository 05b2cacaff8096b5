"""Published files by download: each from the first of its mirrors that gives the right bytes."""

import hashlib
import time
from collections.abc import Collection
from pathlib import Path

from reranksmart.datasets import terms
from reranksmart.datasets.fetched.sources import CHECKSUM, Source
from reranksmart.datasets.fetched.transfer import Interrupted, Refused, discard, transfer, without_password
from reranksmart.datasets.published.texts import read_lines
from reranksmart.files.holding import held
from reranksmart.files.writing import atomic_path, faults_of_the_disk_explained

LONGEST_WAIT_S = 120.0


class AssetUnavailableError(FileNotFoundError):
    """No mirror gives the file. The message says what each answered and where to put a copy got by hand."""


def recorded(source: Source, folder: Path) -> dict[str, str | int | None]:
    """Size in bytes and checksum of a fetched file, for the record of its download."""
    path = folder / source.file
    return {"bytes": path.stat().st_size, "checksum": _expected(path, source), "licence": source.licence}


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
    is_there = path.exists()
    if is_there and _expected(path, source) is not None:
        return _verified(path, source)
    if not is_there and source.terms and source.terms not in accepted:
        raise ValueError(
            f"{source.file} may be fetched only under its terms: {terms()[source.terms]} Read {source.licence_page}; to "
            f"accept them add {source.terms!r} to the accepted terms of the configuration."
        )
    answers = []
    with faults_of_the_disk_explained(path), held(path):
        if path.exists():  # another process brought it meanwhile
            return _verified(path, source)
        for url in source.urls:
            try:
                _download(url, path, source, attempts=attempts, timeout_s=timeout_s, wait_s=wait_s)
            except Refused as refusal:
                answers.append(f"\n  {without_password(url)}: {refusal}")
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
    if not CHECKSUM.fullmatch(checksum):
        raise ValueError(f"{record} holds no sha256 and a file name. Delete it to have it recorded again.")
    return checksum


def _record(path: Path, source: Source) -> None:
    """Writes the file's sha256 beside it, in the form of sha256sum, if nothing else tells the right file."""
    if _expected(path, source) is None:
        with atomic_path(_record_path(path)) as record:
            record.write_text(f"{_digest(path, 'sha256').removeprefix('sha256:')}  {path.name}\n", encoding="utf-8")


def _record_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"
