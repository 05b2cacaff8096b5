"""What evaluations read, and their options."""

from __future__ import annotations

import shlex
from typing import Any

from reranksmart.config import Config
from reranksmart.plan.experiments import depths, fusions
from reranksmart.plan.names import gallery_name, model_folder, settings


def measure_inputs(config: Config, wildcards: Any) -> dict[str, str]:
    """What an evaluation reads, by role."""
    system, test_set = config.systems[wildcards.system], config.test_sets[wildcards.test_set]
    start = f"results/{{kind}}/{wildcards.backbone}/{wildcards.training_set}/{{who}}/seed{wildcards.seed}"
    gallery = gallery_name(test_set)
    inputs = {
        "relevance": f"results/relevance/{gallery}.npz",
        "data": f"results/data/{test_set.dataset}/{test_set.split}",
    }
    if system.retriever is None:
        inputs["ranking"] = f"{start.format(kind='exhaustive', who=system.reranker)}/{gallery}"
    else:
        inputs["ranking"] = f"{start.format(kind='candidates', who=system.retriever)}/{gallery}"
        if system.reranker:
            who = f"{system.retriever}-{system.reranker}"
            inputs["pair_scores"] = f"{start.format(kind='pair_scores', who=who)}/{gallery}"
    return inputs


def experiment_keys(wildcards: Any) -> str:
    """The key columns of an evaluation's measures."""
    keys = {name: getattr(wildcards, name) for name in ("backbone", "training_set", "system", "test_set")}
    return settings({**keys, "seed": int(wildcards.seed)})


def measure_options(config: Config, wildcards: Any) -> str:
    """The options of ``reranksmart evaluate``, quoted for a shell."""
    values = {
        "--experiment": experiment_keys(wildcards),
        "--gallery": gallery_name(config.test_sets[wildcards.test_set]),
        "--languages": ",".join(config.backbones[wildcards.backbone].languages),
        "--depths": ",".join(map(str, depths(config, wildcards))),
        "--fusions": settings(fusions(config, wildcards)),
        "--resamples": str(config.bootstrap),
    }
    return " ".join(f"{flag} {shlex.quote(value)}" for flag, value in values.items())


def twin_inputs(config: Config, wildcards: Any) -> dict[str, str]:
    """Twins are scored by a system of one role: a bi-encoder or an exhaustive cross-encoder."""
    system, test_set = config.systems[wildcards.system], config.test_sets[wildcards.test_set]
    role, objective = ("reranker", system.reranker) if system.retriever is None else ("retriever", system.retriever)
    model = model_folder(wildcards.backbone, wildcards.training_set, str(objective), wildcards.seed)
    place = f"{test_set.dataset}/{test_set.split}"
    return {"scores": f"results/twin_scores/{model}/{role}/{place}", "data": f"results/data/{place}"}
