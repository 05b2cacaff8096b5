"""How splits of a dataset are prepared."""

import shlex
from typing import Any

from reranksmart.config.backbones import Backbone
from reranksmart.config.schema import Config
from reranksmart.datasets import module_of
from reranksmart.files.code import code_digest
from reranksmart.plan.names import settings
from reranksmart.plan.places import located, manifests
from reranksmart.values.settings import ConfigError


def dataset_code(config: Config, verb: str, dataset: str) -> str:
    """The digest of a verb that runs the code of a dataset's kind, with that."""
    return code_digest(verb, module_of(config.datasets[dataset].kind))


def stamps_inputs(config: Config, dataset: str) -> list[str]:
    """The stamps, where this dataset is composed of them."""
    return ["results/stamps/stamps.jsonl"] if config.datasets[dataset].needs_stamps else []


def split_inputs(config: Config, wildcards: Any) -> dict[str, list[str]]:
    """What preparing a split reads: stamps of composed scenes, records of what was fetched."""
    return {
        "stamps": stamps_inputs(config, wildcards.dataset),
        "fetched": manifests(config, _own_settings(config, wildcards)),
    }


def stamps_option(config: Config) -> str:
    """Where the stamps come from: the user's archive if the configuration names one."""
    sources = {source for dataset in config.datasets.values() if (source := getattr(dataset, "stamps", None))}
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


def split_priority(config: Config, wildcards: Any) -> int:
    """What backbones are pretrained on goes first: every model waits for pretraining, which keeps one core busy."""
    chosen = (backbone for backbone in config.backbones.values() if isinstance(backbone, Backbone))
    wanted = {backbone.pretraining.split for backbone in chosen if backbone.pretraining}
    return 92 if wildcards.split in wanted else 90


def detected(config: Config) -> list[str]:
    """The datasets whose regions are detected in their pictures."""
    return [name for name in config.datasets if config.datasets[name].region_files is None]


def imported(config: Config) -> list[str]:
    """The datasets whose regions are read from published files."""
    return [name for name in config.datasets if config.datasets[name].region_files is not None]


def region_settings(config: Config, wildcards: Any) -> str:
    """The region files of one split of a dataset."""
    return settings(located(config, _region_files_of_split(config, wildcards)))


def region_manifests(config: Config, wildcards: Any) -> list[str]:
    """The records of what must be fetched before these files can be read."""
    return manifests(config, _region_files_of_split(config, wildcards))


def _region_files_of_split(config: Config, wildcards: Any) -> dict[str, Any]:
    files = config.datasets[wildcards.dataset].region_files
    if files is None:
        raise ConfigError(f"datasets.{wildcards.dataset}.regions: missing. Name the files to import regions from.")
    split = wildcards.split
    tags = {split: files.tags[split]} if split in files.tags else {}
    return {**files.model_dump(mode="json"), "paths": files.paths_of(split), "split_paths": {}, "tags": tags}
