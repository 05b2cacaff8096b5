"""One attempt to bring one file over HTTP, going on where an earlier attempt stopped."""

import http.client
import json
import re
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tqdm import tqdm

_CHUNK = 1 << 20
_PASSING = {408, 425, 429, *range(500, 600)}  # answers that may be another one later
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


class Refused(Exception):  # noqa: N818 - an answer, which the caller collects
    """The server's answer is final: it gives no such file."""


class Interrupted(Exception):  # noqa: N818
    """The attempt failed in a way that may pass. ``wait_s`` is how long the server asks to wait, if it does."""

    def __init__(self, reason: str, *, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


@dataclass(frozen=True)
class _Origin:
    """Where the bytes of a part came from: the URL, the server's mark of its version, and the whole file's length."""

    url: str = ""
    version: str | None = None
    total: int | None = None


class _SameScheme(urllib.request.HTTPRedirectHandler):
    """Follows a redirect from http to https, and otherwise to the same scheme only."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        old, new = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if (old, new) not in (("http", "http"), ("https", "https"), ("http", "https")):
            raise Refused(f"it redirects from {old} to {new}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = urllib.request.build_opener(_SameScheme)


def without_password(url: str) -> str:
    """The URL as messages show it: without a user's name and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def transfer(url: str, part: Path, *, size: int | None, provable: bool, timeout_s: float) -> bool:
    """Makes ``part`` hold the whole file at ``url``; True if its beginning was there already.

    A part is gone on with if the server can tell that the file is still the same one, or if the result will be proven
    by a checksum (``provable``). ``size`` in bytes is the file's published one. Raises Interrupted, leaving in ``part``
    what came, or Refused.
    """
    origin = _read_origin(part)
    have = part.stat().st_size if part.exists() else 0
    same_url = origin.url == url
    if not (provable or (same_url and origin.version)):
        have = 0
    headers = {"User-Agent": "reranksmart", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if same_url and origin.version:
            headers["If-Range"] = origin.version
    try:
        answer = _OPENER.open(urllib.request.Request(url, headers=headers), timeout=timeout_s)
    except urllib.error.HTTPError as error:
        with error:
            return _after_error(error, part, have, size)
    except (OSError, http.client.HTTPException) as error:
        raise Interrupted(_reason(error)) from error
    with answer:
        return _receive(answer, url, part, have, origin, size)


def discard(part: Path) -> None:
    """Removes a part and what is known of it."""
    part.unlink(missing_ok=True)
    _origin_path(part).unlink(missing_ok=True)


def _after_error(error: urllib.error.HTTPError, part: Path, have: int, size: int | None) -> bool:
    answer = f"HTTP {error.code} {error.reason}"
    if error.code == 416 and have:
        if have in (size, _total(error.headers)):
            return True  # nothing is left to send: the part is whole
        discard(part)
        raise Interrupted(f"{answer}: it cannot go on from byte {have:,}")
    if error.code in _PASSING:
        wait = error.headers.get("Retry-After", "")
        raise Interrupted(answer, wait_s=float(wait) if wait.isdecimal() else None)
    raise Refused(answer)


def _receive(
    answer: http.client.HTTPResponse, url: str, part: Path, have: int, origin: _Origin, size: int | None
) -> bool:
    if answer.status not in (200, 206):
        raise Refused(f"HTTP {answer.status} {answer.reason}")
    if answer.headers.get_content_type() == "text/html":
        raise Refused("it answers with a web page, not with the file")
    if answer.status == 206:
        total = _total(answer.headers)
        if total is None and answer.length is not None:
            total = have + answer.length
        changed = origin.url == url and origin.version and _version(answer.headers) not in (None, origin.version)
        if changed or _first_byte(answer.headers) != have or origin.total not in (None, total):
            discard(part)
            raise Interrupted("it answers with another part than asked for, or the file has changed")
    else:
        have, total = 0, answer.length
    if size is not None and total not in (None, size):
        raise Refused(f"it announces {total:,} bytes, not the published {size:,}")
    if not have:
        discard(part)
        _origin_path(part).write_text(json.dumps(asdict(_Origin(url, _version(answer.headers), total))))
    got = _append(answer, part, have, total, size)
    if (expected := total if total is not None else size) not in (None, got):
        raise Interrupted(f"cut off after {got:,} of {expected:,} bytes")
    return bool(have)


def _append(answer: http.client.HTTPResponse, part: Path, have: int, total: int | None, size: int | None) -> int:
    """How many bytes the part holds after the answer's were added, never more than ``total``."""
    got = have
    bar = tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=f"download {part.name}", disable=None)
    with part.open("ab" if have else "wb") as file, bar:
        while total is None or got < total:
            try:
                chunk = answer.read1(_CHUNK if total is None else min(_CHUNK, total - got))
            except (OSError, http.client.HTTPException) as error:
                raise Interrupted(f"stopped after {got:,} bytes ({_reason(error)})") from error
            if not chunk:
                break
            file.write(chunk)
            got += len(chunk)
            bar.update(len(chunk))
            if size is not None and got > size:
                raise Refused(f"it gives more than the published {size:,} bytes")
    return got


def _version(headers: Message) -> str | None:
    """What tells whether the file is still the same one: a strong entity tag, or the date of its last change."""
    tag = headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified")


def _total(headers: Message) -> int | None:
    found = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    return int(found[2]) if found and found[2] != "*" else None


def _first_byte(headers: Message) -> int | None:
    found = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    return int(found[1]) if found and found[1] else None


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(reason) if reason else f"{type(error).__name__}: {error}"


def _origin_path(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_origin(part: Path) -> _Origin:
    try:
        return _Origin(**json.loads(_origin_path(part).read_text()))
    except (OSError, ValueError, TypeError):
        return _Origin()  # without it the part is begun anew
