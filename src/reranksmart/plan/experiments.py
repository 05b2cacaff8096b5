"""What the experiments ask for: evaluations, depths, fusions, models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from reranksmart.config import Config, Experiment, Fusion
from reranksmart.plan.names import gallery_names, model_folder


@dataclass(frozen=True, order=True)
class Evaluation:
    """One system of one backbone, training set and seed on one test set."""

    backbone: str
    training_set: str
    system: str
    seed: int
    test_set: str

    @property
    def folder(self) -> str:
        return f"{self.backbone}/{self.training_set}/{self.system}/seed{self.seed}/{self.test_set}"


def evaluations(config: Config, experiments: Iterable[Experiment]) -> list[Evaluation]:
    """Every evaluation of the experiments, each once, in order."""
    found = {
        Evaluation(backbone, training_set, system, seed, test_set)
        for experiment in experiments
        for backbone in experiment.backbones
        for training_set in experiment.training_sets
        for system in experiment.systems
        for seed in config.seeds
        for test_set in experiment.test_sets
    }
    return sorted(found)


def _experiments_with(config: Config, wildcards: Any) -> Iterator[Experiment]:
    for experiment in config.experiments.values():
        if (
            wildcards.backbone in experiment.backbones
            and wildcards.training_set in experiment.training_sets
            and wildcards.system in experiment.systems
            and wildcards.test_set in experiment.test_sets
        ):
            yield experiment


def depths(config: Config, wildcards: Any) -> list[int]:
    """The depths k at which an evaluation re-ranks, over all experiments that ask for it; none without re-ranking."""
    system = config.systems[wildcards.system]
    if system.retriever is None or system.reranker is None:
        return []
    return sorted({k for experiment in _experiments_with(config, wildcards) for k in experiment.depths})


def fusions(config: Config, wildcards: Any) -> list[Fusion]:
    found = {fusion for experiment in _experiments_with(config, wildcards) for fusion in experiment.fusions}
    return sorted(found, key=lambda fusion: (fusion.method, fusion.weight))


def deepest(config: Config, wildcards: Any) -> int:
    """The largest depth at which any system scores this retriever's candidates with this reranker on this gallery."""
    found = [0]
    for experiment in config.experiments.values():
        if wildcards.backbone not in experiment.backbones or wildcards.training_set not in experiment.training_sets:
            continue
        galleries = {gallery for name in experiment.test_sets for gallery in gallery_names(config.test_sets[name])}
        roles = {(config.systems[name].retriever, config.systems[name].reranker) for name in experiment.systems}
        if wildcards.gallery in galleries and (wildcards.retriever, wildcards.reranker) in roles:
            found += experiment.depths
    return max(found)


def objectives_of(config: Config, system: str) -> list[str]:
    """The objectives whose models a system needs, each once."""
    roles = (config.systems[system].retriever, config.systems[system].reranker)
    return sorted({objective for objective in roles if objective})


def trained_models(config: Config) -> list[str]:
    """The folders of every model that an experiment needs."""
    found = {
        model_folder(e.backbone, e.training_set, objective, e.seed)
        for e in evaluations(config, config.experiments.values())
        for objective in objectives_of(config, e.system)
    }
    return sorted(found)


def compared(config: Config) -> list[str]:
    """The measures that the paired tests read."""
    found = {
        f"results/measures/{Evaluation(c.backbone, c.training_set, system, seed, c.test_set).folder}"
        for c in config.comparisons
        for system in c.systems
        for seed in config.seeds
    }
    return sorted(found)


def main_depth(config: Config) -> int:
    """The depth of Table 1: the first that its experiment names."""
    return config.experiments["main"].depths[0] if "main" in config.experiments else 20
