"""What the timings read."""

import json
from typing import Any

from reranksmart.config.costs import Latency
from reranksmart.config.experiments import Experiment
from reranksmart.config.schema import Config
from reranksmart.config.tables import kind_of
from reranksmart.plan import names
from reranksmart.plan.images import image_root, training_images
from reranksmart.report.reading import PAIR_COSTS
from reranksmart.values.settings import ConfigError


def _latency(config: Config) -> Latency:
    if config.latency is None:
        raise ConfigError("latency: missing. Add this key to measure latency; see the comments of config.yaml.")
    return config.latency


def latency_models(config: Config) -> str:
    """The timed systems by role, as JSON: each role's model, the images that it reads, and how; the first seed's."""
    if config.latency is None:
        return "{}"
    systems = {name: config.systems[name].roles(config.latency.backbone) for name in config.latency.systems}
    return names.settings(
        {
            name: {role: _timed(config, config.latency, *chosen) for role, chosen in roles.items()}
            for name, roles in systems.items()
        }
    )


def _timed(config: Config, latency: Latency, backbone: str, objective: str) -> dict[str, Any]:
    name = backbone, latency.training_set, objective, config.seeds[0]
    test_set = config.test_sets[latency.test_set]
    place = f"{test_set.dataset}/{test_set.split}"
    return {
        "model": names.made_model(names.model_folder(*name)),
        "images": f"{image_root(config, *name)}/{place}",
        "pixels": f"{training_images(config, backbone)}/{place}"
        if config.backbones[backbone].sees == "states"
        else None,
        "reading": json.loads(
            names.reading_settings(config, backbone, names.languages_read(config, backbone, test_set.dataset))
        ),
    }


def latency_inputs(config: Config) -> dict[str, Any]:
    latency = _latency(config)
    test_set = config.test_sets[latency.test_set]
    roles = [role for roles in json.loads(latency_models(config)).values() for role in roles.values()]
    return {
        "data": names.data_folder(test_set.dataset, test_set.split),
        "images": sorted({role[key] for role in roles for key in ("images", "pixels") if role[key]}),
        "models": sorted({role["model"] for role in roles}),
    }


def latency_embeddings(config: Config) -> list[str]:
    """The embeddings on which index types are compared: the first timed retriever's."""
    if config.latency is None:
        return []
    latency = config.latency
    roles = [config.systems[name].roles(latency.backbone) for name in latency.systems]
    backbone, objective = next(found["retriever"] for found in roles if "retriever" in found)
    test_set = config.test_sets[latency.test_set]
    model = names.model_folder(backbone, latency.training_set, objective, config.seeds[0])
    return [f"results/embeddings/{model}/{test_set.dataset}/{test_set.split}"]


def index_factories(config: Config) -> str:
    return names.settings(list(config.latency.indexes)) if config.latency else "[]"


def index_vectors(config: Config) -> int:
    return config.latency.index_vectors if config.latency else 0


def _timed_by_pairs(config: Config) -> Experiment | None:
    """The experiment whose rerankers are timed with stored states: that of the entries that read the timings."""
    found = {
        name
        for section in ("tables", "figures")
        for entry in getattr(config, section).values()
        if PAIR_COSTS in kind_of(section, entry).reads
        for name in entry.experiments
    }
    if len(found) > 1:
        raise ConfigError(
            f"tables and figures of kind cached_layers show experiments {sorted(found)}, but one alone is timed. Show the same "
            "one in each."
        )
    return config.experiments[found.pop()] if found else None


def pair_models(config: Config) -> str:
    """The reranker's folder of each system of the ablation of cached layers that re-ranks, as JSON; the first seed's."""
    experiment = _timed_by_pairs(config)
    if experiment is None:
        return "{}"
    start = experiment.backbones[0], experiment.training_sets[-1]
    rerankers = {name: config.systems[name].reranker for name in experiment.systems}
    return names.settings(
        {
            name: names.made_model(names.model_folder(*start, objective, config.seeds[0]))
            for name, objective in rerankers.items()
            if objective
        }
    )


def pair_inputs(config: Config) -> dict[str, Any]:
    """What the timing of re-ranking with stored states reads."""
    experiment = _timed_by_pairs(config)
    if experiment is None:
        raise ConfigError(
            "no table or figure shows what re-ranking with stored states costs. Add one of kind cached_layers; see the comments "
            "of config.yaml."
        )
    test_set = config.test_sets[experiment.test_sets[0]]
    place = test_set.dataset, test_set.split
    models = sorted(set(json.loads(pair_models(config)).values()))
    return {"data": names.data_folder(*place), "regions": names.region_folder(*place), "models": models}


def pair_reading_settings(config: Config) -> str:
    experiment = _timed_by_pairs(config)
    if experiment is None:
        return "{}"
    backbone, test_set = experiment.backbones[0], config.test_sets[experiment.test_sets[0]]
    return names.reading_settings(config, backbone, names.languages_read(config, backbone, test_set.dataset))


def retrieving_and_reranking(config: Config) -> str | None:
    """The first timed system that does both: on its models precisions are compared."""
    timed = config.latency.systems if config.latency else ()
    return next((name for name in timed if config.systems[name].retriever and config.systems[name].reranker), None)


def precision_models(config: Config) -> str:
    """That system by role, as in ``latency_models``."""
    name = retrieving_and_reranking(config)
    return names.settings(json.loads(latency_models(config))[name]) if name else "{}"


def precision_inputs(config: Config) -> dict[str, Any]:
    if not retrieving_and_reranking(config):
        raise ConfigError("latency.systems: none retrieves and re-ranks. Add one to compare precisions.")
    roles = json.loads(precision_models(config)).values()
    inputs = latency_inputs(config)
    test_set = config.test_sets[_latency(config).test_set]
    return {
        "data": inputs["data"],
        "relevance": names.relevance_file(f"{test_set.dataset}.{test_set.split}"),
        "images": sorted({role["images"] for role in roles}),
        "models": sorted({role["model"] for role in roles}),
    }


def rate_settings(config: Config) -> str:
    """What the rates of the planned evaluation depend on: not what is planned from them."""
    planned = config.planned_evaluation
    return planned.model_dump_json(include={"network", "tokens", "regions", "timed", "repeats"}) if planned else "{}"
