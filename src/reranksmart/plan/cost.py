"""What the timings read."""

from __future__ import annotations

import json
from typing import Any

from reranksmart.config import Config, ConfigError, Latency
from reranksmart.plan.names import model_folder, reading_settings, settings


def _latency(config: Config) -> Latency:
    if config.latency is None:
        raise ConfigError("latency: missing. Add this key to measure latency; see the comments of config.yaml.")
    return config.latency


def latency_models(config: Config) -> str:
    """The model folders of each timed system by role, as JSON; the first seed's."""
    if config.latency is None:
        return "{}"
    found = {}
    for name in config.latency.systems:
        roles = {"retriever": config.systems[name].retriever, "reranker": config.systems[name].reranker}
        start = config.latency.backbone, config.latency.training_set
        found[name] = {
            role: f"results/models/{model_folder(*start, objective, config.seeds[0])}/model"
            for role, objective in roles.items()
            if objective
        }
    return settings(found)


def latency_inputs(config: Config) -> dict[str, Any]:
    latency = _latency(config)
    test_set = config.test_sets[latency.test_set]
    models = {folder for roles in json.loads(latency_models(config)).values() for folder in roles.values()}
    place = f"{test_set.dataset}/{test_set.split}"
    return {"data": f"results/data/{place}", "regions": f"results/regions/{place}", "models": sorted(models)}


def latency_reading_settings(config: Config) -> str:
    return reading_settings(config, config.latency.backbone) if config.latency else "{}"


def latency_embeddings(config: Config) -> str:
    """The embeddings on which index types are compared: the first timed retriever's."""
    if config.latency is None:
        return []  # type: ignore[return-value]
    latency = config.latency
    retrievers = [config.systems[name].retriever for name in latency.systems if config.systems[name].retriever]
    test_set = config.test_sets[latency.test_set]
    model = model_folder(latency.backbone, latency.training_set, str(retrievers[0]), config.seeds[0])
    return f"results/embeddings/{model}/{test_set.dataset}/{test_set.split}"


def index_factories(config: Config) -> str:
    return settings(list(config.latency.indexes)) if config.latency else "[]"


def index_vectors(config: Config) -> int:
    return config.latency.index_vectors if config.latency else 0


def pair_models(config: Config) -> str:
    """The reranker's folder of each system of the ablation of cached layers that re-ranks, as JSON; the first seed's."""
    experiment = config.experiments.get("cached_layers")
    if experiment is None:
        return "{}"
    start = experiment.backbones[0], experiment.training_sets[-1]
    rerankers = {name: config.systems[name].reranker for name in experiment.systems}
    return settings(
        {
            name: f"results/models/{model_folder(*start, objective, config.seeds[0])}/model"
            for name, objective in rerankers.items()
            if objective
        }
    )


def pair_inputs(config: Config) -> dict[str, Any]:
    """What the timing of re-ranking with stored states reads."""
    experiment = config.experiments.get("cached_layers")
    if experiment is None:
        raise ConfigError(
            "experiments.cached_layers: missing. Add this key to time stored states; see the comments of config.yaml."
        )
    test_set = config.test_sets[experiment.test_sets[0]]
    place = f"{test_set.dataset}/{test_set.split}"
    models = sorted(set(json.loads(pair_models(config)).values()))
    return {"data": f"results/data/{place}", "regions": f"results/regions/{place}", "models": models}


def pair_reading_settings(config: Config) -> str:
    experiment = config.experiments.get("cached_layers")
    return reading_settings(config, experiment.backbones[0]) if experiment else "{}"
