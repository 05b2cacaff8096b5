"""How splits of a dataset are prepared."""

from __future__ import annotations

import shlex
from typing import Any

from reranksmart.config import Config, ConfigError, Scenes
from reranksmart.plan.names import settings


def split_inputs(config: Config, dataset: str) -> list[str]:
    """What preparing a split of this dataset reads."""
    return ["results/stamps/stamps.jsonl"] if isinstance(config.datasets[dataset], Scenes) else []


def stamps_option(config: Config) -> str:
    """Where the stamps come from: the user's archive if the configuration names one."""
    sources = {d.stamps for d in config.datasets.values() if isinstance(d, Scenes) and d.stamps}
    return f"--source {shlex.quote(sorted(sources)[0])}" if sources else ""


def split_settings(config: Config, wildcards: Any) -> str:
    """What a split of a dataset is made from: nothing of the dataset's other splits."""
    dataset = config.datasets[wildcards.dataset]
    if wildcards.split not in dataset.splits:
        known = list(dataset.splits)
        raise ConfigError(f"dataset {wildcards.dataset!r} has no split {wildcards.split!r}; it has {known}")
    return settings({**dataset.model_dump(mode="json"), "splits": {wildcards.split: dataset.splits[wildcards.split]}})
