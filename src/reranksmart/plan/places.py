"""Places of the configuration: paths as they are, and ``source:`` names of published files that a rule fetches."""

import difflib
from functools import cache
from pathlib import Path
from typing import Any

from reranksmart.config.schema import Config
from reranksmart.datasets.fetched.archives import ENDINGS, folder_of
from reranksmart.datasets.fetched.sources import SOURCES, read_sources
from reranksmart.plan.names import settings
from reranksmart.values.settings import ConfigError

SOURCE = "source:"


def located(config: Config, value: Any) -> Any:
    """The value with every ``source:`` text in it, at any depth, replaced by the path of what is fetched."""
    if isinstance(value, dict):
        return {key: located(config, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [located(config, item) for item in value]
    if not (isinstance(value, str) and value.startswith(SOURCE)):
        return value
    name, packed, inside = _parsed(config, value)
    path = f"{config.downloads.folder}/{name}"
    return f"{folder_of(path)}/{inside}".rstrip("/") if packed else path


def manifests(config: Config, value: Any) -> list[str]:
    """The records that must exist before the ``source:`` places in a value can be read, each once."""
    if isinstance(value, dict):
        return list(dict.fromkeys(path for item in value.values() for path in manifests(config, item)))
    if isinstance(value, list | tuple):
        return list(dict.fromkeys(path for item in value for path in manifests(config, item)))
    if not (isinstance(value, str) and value.startswith(SOURCE)):
        return []
    name, packed, _ = _parsed(config, value)
    return [f"results/{'unpacked' if packed else 'downloads'}/{name}.json"]


def _parsed(config: Config, place: str) -> tuple[str, bool, str]:
    """The source's name, whether it is unpacked, and the path inside; ConfigError where there is no such source."""
    name, mark, inside = place.removeprefix(SOURCE).strip("/").partition("#")
    known = _known_sources(config.downloads.sources)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        raise ConfigError(
            f"{place!r}: no file or folder of the table of sources is called {name!r}. Did you mean one of {near}? "
            "Or give a path."
        )
    if mark and not name.endswith(ENDINGS):
        raise ConfigError(f"{place!r}: only an archive ({', '.join(ENDINGS)}) has an inside; leave #{inside} out.")
    return name, bool(mark), inside.strip("/")


@cache
def _known_sources(table: str | None) -> tuple[str, ...]:
    """The files of the table and the folders above them."""
    files = list(read_sources(Path(table) if table else SOURCES))
    parts = [file.split("/") for file in files]
    folders = {"/".join(names[:depth]) for names in parts for depth in range(1, len(names))}
    return (*files, *sorted(folders))


def download_settings(config: Config) -> str:
    """How files are fetched, and to where."""
    return settings(config.downloads)


def download_place(config: Config) -> str:
    """What decides which files are fetched, and to where: not how patiently."""
    return settings(config.downloads.model_dump(include={"folder", "sources"}))
