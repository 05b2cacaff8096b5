"""How splits of a dataset are prepared."""

from __future__ import annotations

import shlex
from typing import Any

from reranksmart.config import Config, ConfigError, Scenes
from reranksmart.plan.names import settings
from reranksmart.plan.places import located, manifests


def stamps_inputs(config: Config, dataset: str) -> list[str]:
    """The stamps, where this dataset is composed of them."""
    return ["results/stamps/stamps.jsonl"] if isinstance(config.datasets[dataset], Scenes) else []


def split_inputs(config: Config, wildcards: Any) -> dict[str, list[str]]:
    """What preparing a split reads: stamps of composed scenes, records of what was fetched of published datasets."""
    return {
        "stamps": stamps_inputs(config, wildcards.dataset),
        "fetched": manifests(_own_settings(config, wildcards)),
    }


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
