"""What evaluations read, and their options."""

from __future__ import annotations

import shlex
from typing import Any

from reranksmart.config import Config
from reranksmart.plan.experiments import depths, fusions
from reranksmart.plan.names import gallery_names, model_folder, options, settings


def measure_inputs(config: Config, wildcards: Any) -> dict[str, list[str]]:
    """What an evaluation reads, by role: one path each, or one a fold."""
    system, test_set = config.systems[wildcards.system], config.test_sets[wildcards.test_set]
    start = f"results/{{kind}}/{wildcards.backbone}/{wildcards.training_set}/{{who}}/seed{wildcards.seed}"
    galleries = gallery_names(test_set)
    inputs = {
        "relevance": [f"results/relevance/{gallery}.npz" for gallery in galleries],
        "data": [f"results/data/{test_set.dataset}/{split}" for split in test_set.splits],
    }
    if system.retriever is None:
        place = start.format(kind="exhaustive", who=system.reranker)
        inputs["ranking"] = [f"{place}/{gallery}" for gallery in galleries]
    else:
        place = start.format(kind="candidates", who=system.retriever)
        inputs["ranking"] = [f"{place}/{gallery}" for gallery in galleries]
        if system.reranker:
            place = start.format(kind="pair_scores", who=f"{system.retriever}-{system.reranker}")
            inputs["pair_scores"] = [f"{place}/{gallery}" for gallery in galleries]
    return inputs


def experiment_keys(wildcards: Any) -> str:
    """The key columns of an evaluation's measures."""
    keys = {name: getattr(wildcards, name) for name in ("backbone", "training_set", "system", "test_set")}
    return settings({**keys, "seed": int(wildcards.seed)})


def measure_options(config: Config, wildcards: Any) -> str:
    """The options of ``reranksmart evaluate``, quoted for a shell."""
    paths = [options(f"--{role.replace('_', '-')}", found) for role, found in measure_inputs(config, wildcards).items()]
    values = {
        "--experiment": experiment_keys(wildcards),
        "--gallery": ",".join(gallery_names(config.test_sets[wildcards.test_set])),
        "--languages": ",".join(config.backbones[wildcards.backbone].languages),
        "--depths": ",".join(map(str, depths(config, wildcards))),
        "--fusions": settings(fusions(config, wildcards)),
        "--resamples": str(config.bootstrap),
    }
    return " ".join([*paths, *(f"{flag} {shlex.quote(value)}" for flag, value in values.items())])


def twin_inputs(config: Config, wildcards: Any) -> dict[str, str]:
    """Twins are scored by a system of one role: a bi-encoder or an exhaustive cross-encoder."""
    system, test_set = config.systems[wildcards.system], config.test_sets[wildcards.test_set]
    role, objective = ("reranker", system.reranker) if system.retriever is None else ("retriever", system.retriever)
    model = model_folder(wildcards.backbone, wildcards.training_set, str(objective), wildcards.seed)
    place = f"{test_set.dataset}/{test_set.split}"
    return {"scores": f"results/twin_scores/{model}/{role}/{place}", "data": f"results/data/{place}"}
