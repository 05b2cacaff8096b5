"""The published files that can be downloaded: each row of ``sources.csv``, checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reranksmart.datasets import terms
from reranksmart.datasets.published.texts import read_table

SOURCES = Path(__file__).parent.with_name("sources.csv")
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
CHECKSUM = re.compile(r"md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Source:
    """One published file: where it is, in order of preference, and how to tell that it is the right one.

    ``file`` is its path below the download folder; ``checksum`` is ``md5:...`` or ``sha256:...``; ``terms`` names the
    kind of dataset whose terms a user must accept first; ``state`` is the last known one with its date.
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


def _problem_of(source: Source, size: str) -> str:
    place = PurePosixPath(source.file)
    if not source.asset or not source.file or place.is_absolute() or ".." in place.parts:
        return "an asset's name and a path below the download folder are needed"
    if not source.urls or not all(url.startswith(("https://", "http://")) for url in source.urls):
        return f"one or more http or https URLs, parted by spaces, are needed, got {list(source.urls)}"
    if size and source.size is None:
        return f"bytes must be a number or empty, got {size!r}"
    if source.checksum and not CHECKSUM.fullmatch(source.checksum):
        return f"a checksum is md5:<32 digits> or sha256:<64 digits>, got {source.checksum!r}"
    if source.terms and source.terms not in (known := terms()):
        return f"terms {source.terms!r} are unknown; there are {list(known)}"
    return "" if source.licence_page.startswith("http") else "the page of the licence is needed"
