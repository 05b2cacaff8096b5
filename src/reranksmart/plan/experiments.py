"""What the experiments ask for: evaluations, depths, fusions, models."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from reranksmart.config.experiments import Comparison, Experiment, Fusion, System
from reranksmart.config.schema import Config
from reranksmart.plan.images import reranker_of
from reranksmart.plan.names import NORMALISED, gallery_names, languages_read, model_folder, settings


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
        for seed in config.seeds[: experiment.seeds]
        for test_set in experiment.test_sets
    }
    return sorted(found)


def experiments_with(config: Config, wildcards: Any) -> Iterator[Experiment]:
    """The experiments that ask for an evaluation."""
    for experiment in config.experiments.values():
        if (
            wildcards.backbone in experiment.backbones
            and wildcards.training_set in experiment.training_sets
            and wildcards.system in experiment.systems
            and wildcards.test_set in experiment.test_sets
            and int(wildcards.seed) in config.seeds[: experiment.seeds]
        ):
            yield experiment


def fusions(config: Config, wildcards: Any) -> list[dict[str, Any]]:
    """The fusions of an evaluation, each with the depths k that any experiment asks of it; none without re-ranking."""
    system = config.systems[wildcards.system]
    if system.retriever is None or system.reranker is None:
        return []
    depths: dict[Fusion, set[int]] = {}
    for experiment in experiments_with(config, wildcards):
        for fusion in (Fusion(),) if system.neighbours else experiment.fusions:
            depths.setdefault(fusion, set()).update(experiment.depths)
    return [
        {**fusion.model_dump(exclude_defaults=True), "method": fusion.method, "depths": sorted(depths[fusion])}
        for fusion in sorted(depths, key=lambda fusion: (fusion.method, fusion.weight, fusion.label))
    ]


def calibrates(experiment: Experiment) -> bool:
    """Whether it needs its systems' answers on dev."""
    return any(fusion.method == "calibrated" for fusion in experiment.fusions)


def dev_gallery(config: Config, training_set: str) -> str:
    """The gallery of the split on which models of a training set are selected, and fusions calibrated."""
    chosen = config.training_sets[training_set]
    return f"{chosen.dataset}.{chosen.dev_split}"


def _asking(config: Config, wildcards: Any) -> Iterator[tuple[Experiment, list[System], bool]]:
    """The experiments on a training set with their systems of this retriever and this reranker, and whether these are
    measured on this gallery."""
    retriever = wildcards.retriever.removesuffix(NORMALISED)
    asked = {"retriever": (wildcards.backbone, retriever), "reranker": reranker_of(wildcards)}
    for experiment in config.experiments.values():
        if wildcards.training_set in experiment.training_sets:
            systems = [config.systems[name] for name in experiment.systems]
            able = [system for system in systems if asked in map(system.roles, experiment.backbones)]
            galleries = (gallery for name in experiment.test_sets for gallery in gallery_names(config.test_sets[name]))
            yield experiment, able, wildcards.gallery in galleries


def deepest(config: Config, wildcards: Any) -> int:
    """The largest depth at which any system scores this retriever's candidates with this reranker on this gallery."""
    found, on_dev = [0], wildcards.gallery == dev_gallery(config, wildcards.training_set)
    for experiment, systems, is_measured in _asking(config, wildcards):
        if systems and int(wildcards.seed) in config.seeds[: experiment.seeds]:
            found += [config.depth] * on_dev  # by which absence is learned
            found += experiment.depths * (is_measured or (on_dev and calibrates(experiment)))
    return max(found)


def depths_of(config: Config, wildcards: Any) -> str:
    """Every number of pairs at which a system that follows so many neighbours is measured on this gallery."""
    kind = int(wildcards.neighbours), wildcards.retriever.endswith(NORMALISED)
    found = {
        depth
        for experiment, systems, is_measured in _asking(config, wildcards)
        if is_measured and kind in [(system.neighbours, system.normalised) for system in systems]
        for depth in experiment.depths
    }
    return ",".join(map(str, sorted(found)))


def models_of(config: Config, evaluation: Evaluation) -> list[str]:
    """The folders of the models that an evaluation needs, each once."""
    roles = config.systems[evaluation.system].roles(evaluation.backbone)
    return sorted(
        {
            model_folder(backbone, evaluation.training_set, objective, evaluation.seed)
            for backbone, objective in roles.values()
        }
    )


def trained_models(config: Config) -> list[str]:
    """The folders of every model that an experiment needs."""
    found = {
        model
        for evaluation in evaluations(config, config.experiments.values())
        for model in models_of(config, evaluation)
    }
    return sorted(found)


def comparison_settings(config: Config) -> str:
    """The paired tests, each in the first language in which its systems are measured."""
    return settings(
        [
            {**comparison.model_dump(), "language": _language_of(config, comparison, comparison.systems[0])}
            for comparison in config.comparisons
        ]
    )


def _language_of(config: Config, comparison: Comparison, system: str) -> str:
    backbone, _ = next(iter(config.systems[system].roles(comparison.backbone).values()))
    return languages_read(config, backbone, config.test_sets[comparison.test_set].dataset)[0]


def compared(config: Config) -> list[str]:
    """The measures that the paired tests read."""
    found = {
        f"results/measures/{Evaluation(c.backbone, c.training_set, system, seed, c.test_set).folder}"
        for c in config.comparisons
        for system in c.systems
        for seed in config.seeds
    }
    return sorted(found)
