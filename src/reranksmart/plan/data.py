"""How splits of a dataset are prepared."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from reranksmart.config import Config, ConfigError, Files, RegionFiles, Scenes
from reranksmart.plan.names import settings
from reranksmart.plan.places import located, manifests


def stamps_inputs(config: Config, dataset: str) -> list[str]:
    """The stamps, where this dataset is composed of them."""
    return ["results/stamps/stamps.jsonl"] if isinstance(config.datasets[dataset], Scenes) else []


def split_inputs(config: Config, wildcards: Any) -> dict[str, list[str]]:
    """What preparing a split reads: stamps of composed scenes, records of what was fetched, files of one's own."""
    return {
        "stamps": stamps_inputs(config, wildcards.dataset),
        "fetched": manifests(config, _own_settings(config, wildcards)),
        "own": _own_files(config, wildcards),
    }


def _own_files(config: Config, wildcards: Any) -> list[str]:
    """One's own captions, or the folder of pictures without; where they are not there yet, the step itself says so."""
    dataset = config.datasets[wildcards.dataset]
    if not isinstance(dataset, Files):
        return []
    split = dataset.splits[wildcards.split]
    path = split.captions or split.images
    return [path] if Path(path).exists() else []


def stamps_option(config: Config) -> str:
    """Where the stamps come from: the user's archive if the configuration names one."""
    sources = {d.stamps for d in config.datasets.values() if isinstance(d, Scenes) and d.stamps}
    return f"--source {shlex.quote(sorted(sources)[0])}" if sources else ""


def split_settings(config: Config, wildcards: Any) -> str:
    """What a split of a dataset is made from: nothing of the dataset's other splits or of its region features."""
    return settings(located(config, _own_settings(config, wildcards)))


def _own_settings(config: Config, wildcards: Any) -> dict[str, Any]:
    dataset = config.datasets[wildcards.dataset]
    if wildcards.split not in dataset.splits:
        known = list(dataset.splits)
        raise ConfigError(f"dataset {wildcards.dataset!r} has no split {wildcards.split!r}; it has {known}")
    own = dataset.model_dump(mode="json", exclude={"regions"})
    return {**own, "splits": {wildcards.split: own["splits"][wildcards.split]}}


def detected(config: Config) -> list[str]:
    """The datasets whose regions are detected in their pictures."""
    return [name for name in config.datasets if _region_files(config, name) is None]


def imported(config: Config) -> list[str]:
    """The datasets whose regions are read from published files."""
    return [name for name in config.datasets if _region_files(config, name) is not None]


def region_settings(config: Config, wildcards: Any) -> str:
    """The region files of one split of a dataset."""
    return settings(located(config, _region_files_of_split(config, wildcards)))


def region_inputs(config: Config, wildcards: Any) -> list[str]:
    """The records of what must be fetched before these files can be read."""
    return manifests(config, _region_files_of_split(config, wildcards))


def _region_files(config: Config, dataset: str) -> RegionFiles | None:
    return getattr(config.datasets[dataset], "regions", None)


def _region_files_of_split(config: Config, wildcards: Any) -> dict[str, Any]:
    files = _region_files(config, wildcards.dataset)
    if files is None:
        raise ConfigError(f"datasets.{wildcards.dataset}.regions: missing. Name the files to import regions from.")
    split = wildcards.split
    tags = {split: files.tags[split]} if split in files.tags else {}
    return {**files.model_dump(mode="json"), "paths": files.paths_of(split), "split_paths": {}, "tags": tags}
