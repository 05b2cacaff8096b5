"""What measures by further judgements of relevance (ECCV Caption, CxC) read."""

from types import SimpleNamespace
from typing import Any

from reranksmart.config.schema import Config
from reranksmart.datasets.published.extended_relevance import most_items
from reranksmart.plan.data import split_inputs, split_settings
from reranksmart.plan.experiments import fusions
from reranksmart.plan.measures import exhaustive_option, experiment_keys, measure_inputs
from reranksmart.plan.names import data_folder, gallery_name, settings, verb_options
from reranksmart.values.gallery import Gallery
from reranksmart.values.settings import ConfigError


def _judged_split(gallery: str) -> SimpleNamespace:
    dataset, split = Gallery.parse(gallery).places[0]
    return SimpleNamespace(dataset=dataset, split=split)


def extended_relevance_inputs(config: Config, wildcards: Any) -> dict[str, list[str]]:
    """The split whose images were judged, and the records of the fetched files that number its captions."""
    split = _judged_split(wildcards.gallery)
    return {
        "data": [data_folder(split.dataset, split.split)],
        "fetched": split_inputs(config, split)["fetched"],
    }


def extended_relevance_settings(config: Config, wildcards: Any) -> str:
    """The settings of the split whose files number its captions."""
    return split_settings(config, _judged_split(wildcards.gallery))


def extended_measure_inputs(config: Config, wildcards: Any) -> dict[str, list[str]]:
    """What an evaluation by further judgements reads, by role; ConfigError where too few candidates are kept for it."""
    needed = most_items(wildcards.collection)
    if config.candidates < needed:
        raise ConfigError(
            f"candidates: {config.candidates} items are kept of each retrieval, but {wildcards.collection} has queries "
            f"with {needed} relevant items, and measures them among as many. Set candidates to {needed} or more."
        )
    gallery = gallery_name(config.test_sets[wildcards.test_set])
    found = {role: paths for role, paths in measure_inputs(config, wildcards).items() if not role.startswith("dev_")}
    return {**found, "relevance": [f"results/extended_relevance/{wildcards.collection}/{gallery}"]}


def extended_measure_options(config: Config, wildcards: Any) -> str:
    """The options of ``reranksmart evaluate-extended``, quoted for a shell."""
    values = {
        "--experiment": experiment_keys(wildcards),
        "--collection": wildcards.collection,
        "--fusions": settings([fusion for fusion in fusions(config, wildcards) if fusion["method"] != "calibrated"]),
        "--resamples": str(config.bootstrap),
    }
    inputs = extended_measure_inputs(config, wildcards)
    return verb_options(inputs, values, *exhaustive_option(config, wildcards))
