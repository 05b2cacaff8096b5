"""What evaluations read, and their options."""

from collections.abc import Sequence
from typing import Any

from reranksmart.config.experiments import System
from reranksmart.config.schema import Config
from reranksmart.plan import names
from reranksmart.plan.experiments import calibrates, dev_gallery, experiments_with, fusions


def measure_inputs(config: Config, wildcards: Any) -> dict[str, list[str]]:
    """What an evaluation reads, by role: one path each, or one a fold."""
    system, test_set = config.systems[wildcards.system], config.test_sets[wildcards.test_set]
    galleries = names.gallery_names(test_set)
    inputs = {
        "relevance": [names.relevance_file(gallery) for gallery in galleries],
        "data": [names.data_folder(test_set.dataset, split) for split in test_set.splits],
        **answers(config, wildcards, galleries),
    }
    plain = system.retriever and system.reranker and not system.neighbours
    if plain and any(calibrates(experiment) for experiment in experiments_with(config, wildcards)):
        gallery = dev_gallery(config, wildcards.training_set)
        inputs |= {f"dev_{role}": paths for role, paths in answers(config, wildcards, [gallery]).items()}
        inputs["dev_relevance"] = [names.relevance_file(gallery)]
        inputs["dev_data"] = names.gallery_folders("results/data", gallery)
    return inputs


def answers(config: Config, wildcards: Any, galleries: Sequence[str]) -> dict[str, list[str]]:
    """The rankings of a system on these galleries and, where it re-ranks, the scores of their pairs, by role."""
    found = {}
    for kind, (backbone, who) in made_by(config.systems[wildcards.system], wildcards.backbone).items():
        folder = names.model_folder(backbone, wildcards.training_set, who, wildcards.seed)
        role = "pair_scores" if kind == "pair_scores" else "ranking"
        found[role] = [f"results/{kind}/{folder}/{gallery}" for gallery in galleries]
    return found


def made_by(system: System, backbone: str) -> dict[str, tuple[str, str]]:
    """Where a system's results lie: by kind, the backbone and the name of the objectives in the path."""
    roles = system.roles(backbone)
    if "retriever" not in roles:
        return {"exhaustive": roles["reranker"]}
    backbone, retriever = roles["retriever"]
    retriever += names.NORMALISED * system.normalised
    found = {"candidates": (backbone, retriever)}
    if "reranker" in roles:
        own, reranker = roles["reranker"]
        name = reranker if own == backbone else f"{own}.{reranker}"
        if system.neighbours:
            return {"neighbours": (backbone, f"{retriever}-{name}-{system.neighbours}")}
        found["pair_scores"] = (backbone, f"{retriever}-{name}")
    return found


def experiment_keys(wildcards: Any) -> str:
    """The key columns of an evaluation's measures."""
    keys = {name: getattr(wildcards, name) for name in ("backbone", "training_set", "system", "test_set")}
    return names.settings({**keys, "seed": int(wildcards.seed)})


def measure_options(config: Config, wildcards: Any) -> str:
    """The options of ``reranksmart evaluate``, quoted for a shell."""
    values = {**evaluation_options(config, wildcards), "--fusions": names.settings(fusions(config, wildcards))}
    return names.verb_options(measure_inputs(config, wildcards), values, *exhaustive_option(config, wildcards))


def evaluation_options(config: Config, wildcards: Any) -> dict[str, str]:
    """What is measured: by option, of every measure of a system on a test set."""
    test_set, system = config.test_sets[wildcards.test_set], config.systems[wildcards.system]
    backbone, _ = next(iter(system.roles(wildcards.backbone).values()))  # languages of both roles are alike
    return {
        "--experiment": experiment_keys(wildcards),
        "--gallery": ",".join(names.gallery_names(test_set)),
        "--languages": ",".join(names.languages_read(config, backbone, test_set.dataset)),
        "--resamples": str(config.bootstrap),
    }


def exhaustive_option(config: Config, wildcards: Any) -> list[str]:
    """Says of a system without a retriever that its ranking costs the scores of all pairs, and of one that follows
    neighbours that it is ranked already."""
    system = config.systems[wildcards.system]
    return ["--exhaustive"] * (system.retriever is None) + ["--neighbours"] * bool(system.neighbours)


def twin_inputs(config: Config, wildcards: Any) -> dict[str, str]:
    """Twins are scored by a system of one role: a bi-encoder or an exhaustive cross-encoder."""
    system, test_set = config.systems[wildcards.system], config.test_sets[wildcards.test_set]
    role, (backbone, objective) = next(iter(system.roles(wildcards.backbone).items()))
    model = names.model_folder(backbone, wildcards.training_set, objective, wildcards.seed)
    data = names.data_folder(test_set.dataset, test_set.split)
    return {"scores": f"results/twin_scores/{model}/{role}/{test_set.dataset}/{test_set.split}", "data": data}
