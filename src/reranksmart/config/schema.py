"""The whole configuration, whose names must refer to what it defines."""

from __future__ import annotations

import difflib

from pydantic import Field, field_validator, model_validator

from reranksmart.config.backbones import AnyBackbone
from reranksmart.config.datasets import Dataset, Downloads, Files, RegionFeatures
from reranksmart.config.experiments import (
    AllowedLeak,
    Comparison,
    Experiment,
    Latency,
    PlannedEvaluation,
    Precisions,
    Shards,
    System,
    TestSet,
)
from reranksmart.config.pretrained import PretrainedBackbone
from reranksmart.config.published import Coco, Published
from reranksmart.config.shown import require_all_shown
from reranksmart.config.training import Objective, TrainingSet
from reranksmart.config.values import Count, Frozen, Name


class Config(Frozen):
    seeds: tuple[int, ...] = Field((1,), min_length=1)
    datasets: dict[Name, Dataset]
    downloads: Downloads = Downloads()
    regions: RegionFeatures = RegionFeatures()
    backbones: dict[Name, AnyBackbone]
    training_sets: dict[Name, TrainingSet]
    objectives: dict[Name, Objective]
    systems: dict[Name, System]
    test_sets: dict[Name, TestSet]
    experiments: dict[Name, Experiment]
    comparisons: tuple[Comparison, ...] = ()
    allowed_leaks: tuple[AllowedLeak, ...] = Field((), description="tests on trained images that the audit lets pass")
    latency: Latency | None = None
    planned_evaluation: PlannedEvaluation | None = None
    precision: Precisions = Precisions()
    shards: Shards = Shards()
    processes: Count = Field(
        1, description="that share each step of a training, by accelerate; one for each GPU where there are GPUs"
    )
    index: str = Field("Flat", description="faiss factory string of the retrievers' index")
    candidates: int = Field(50, ge=10, description="items kept of each query's retrieval")
    bootstrap: Count = Field(1000, description="resamples of an interval")
    permutations: Count = Field(10_000, description="draws of a paired test")

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) != len(seeds):
            raise ValueError(f"seeds {list(seeds)} repeat; each seed once")
        return seeds

    @model_validator(mode="after")
    def _pictures_can_be_seen(self) -> Config:
        for name, dataset in self.datasets.items():
            if isinstance(dataset, Published) and not dataset.images and dataset.regions is None:
                raise ValueError(
                    f"datasets.{name}: neither images nor regions are given, so that no picture can be seen; give "
                    "folders of pictures, or files of region features"
                )
        return self

    @model_validator(mode="after")
    def _names_exist(self) -> Config:
        for path, kind, name in self._references():
            known = list(getattr(self, kind))
            if name not in known:
                raise ValueError(f"{path}: {name!r} is not among {kind}: {known}. {nearest(name, known)}")
        for path, dataset, split in self._split_references():
            known = list(self.datasets[dataset].splits)
            if split not in known:
                raise ValueError(
                    f"{path}: dataset {dataset!r} has no split {split!r}; it has {known}. {nearest(split, known)}"
                )
        for path, dataset, split in self._captioned_splits():
            source = self.datasets[dataset]
            if isinstance(source, Files) and source.splits[split].captions is None:
                raise ValueError(
                    f"{path}: split {split!r} of dataset {dataset!r} has no captions, so that nothing can be learned or "
                    "measured on it. Name its captions file; without one it can only be searched."
                )
        for path, backbone, system, test_set in self._runs():
            self._require_capable(path, backbone, system)
            self._require_seen(path, backbone, system, test_set)
            self._require_a_language(path, backbone, system, test_set)
        return self

    @model_validator(mode="after")
    def _tables_show_all(self) -> Config:
        for name, experiment in self.experiments.items():
            require_all_shown(name, experiment)
        return self

    @model_validator(mode="after")
    def _judged_images_are_coco_s(self) -> Config:
        for name, test_set in self.test_sets.items():
            dataset = self.datasets.get(test_set.dataset)
            if test_set.extended_relevance and not (
                isinstance(dataset, Coco) and dataset.numbers_captions(test_set.split)
            ):
                raise ValueError(
                    f"test_sets.{name}.extended_relevance: {list(test_set.extended_relevance)} judge COCO's test split by the "
                    f"numbers in Karpathy's dataset_coco.json, which split {test_set.split!r} of dataset "
                    f"{test_set.dataset!r} is not read from. Leave extended_relevance out, or give that file as annotations."
                )
        for name, experiment in self.experiments.items():
            for collection in {"eccv_caption", "cxc"} & {name, experiment.shown_as}:
                if lacking := [
                    t for t in experiment.test_sets if collection not in self.test_sets[t].extended_relevance
                ]:
                    raise ValueError(
                        f"experiments.{name}: its table shows {collection}, by which test sets {lacking} are not measured; "
                        f"write extended_relevance: [{collection}] into them, or take others"
                    )
        return self

    def _runs(self) -> list[tuple[str, str, str, str]]:
        """Where a backbone's system is run on a test set: the key, and the three names."""
        found = [
            (f"experiments.{name}", backbone, system, test_set)
            for name, experiment in self.experiments.items()
            for backbone in experiment.backbones
            for system in experiment.systems
            for test_set in experiment.test_sets
        ]
        latency = self.latency
        found += [("latency", latency.backbone, name, latency.test_set) for name in latency.systems] if latency else []
        return found

    def _references(self) -> list[tuple[str, str, str]]:
        found = [(f"training_sets.{n}.dataset", "datasets", t.dataset) for n, t in self.training_sets.items()]
        found += [(f"test_sets.{n}.dataset", "datasets", t.dataset) for n, t in self.test_sets.items()]
        found += [
            (f"test_sets.{n}.distractors", "datasets", split.split(".")[0])
            for n, t in self.test_sets.items()
            for split in t.distractors
            if "." in split
        ]
        for n, leak in enumerate(self.allowed_leaks):
            found += [(f"allowed_leaks.{n}.{k}", f"{k}s", getattr(leak, k)) for k in ("training_set", "test_set")]
        for name, system in self.systems.items():
            for role in ("retriever", "reranker"):
                if getattr(system, role):
                    found.append((f"systems.{name}.{role}", "objectives", getattr(system, role)))
                if own := getattr(system, f"{role}_backbone"):
                    found.append((f"systems.{name}.{role}_backbone", "backbones", own))
        for name, experiment in self.experiments.items():
            for kind in ("backbones", "training_sets", "systems", "test_sets"):
                found += [(f"experiments.{name}.{kind}", kind, value) for value in getattr(experiment, kind)]
        single: list[tuple[str, Comparison | Latency]] = [
            (f"comparisons.{n}", c) for n, c in enumerate(self.comparisons)
        ]
        for path, asked in [*single, *([("latency", self.latency)] if self.latency else [])]:
            for kind in ("backbone", "training_set", "test_set"):
                found.append((f"{path}.{kind}", f"{kind}s", getattr(asked, kind)))
            found += [(f"{path}.systems", "systems", system) for system in asked.systems]
        return found

    def _split_references(self) -> list[tuple[str, str, str]]:
        found = []
        for name, training_set in self.training_sets.items():
            found.append((f"training_sets.{name}.split", training_set.dataset, training_set.split))
            found.append((f"training_sets.{name}.dev_split", training_set.dataset, training_set.dev_split))
        for name, test_set in self.test_sets.items():
            for split in (*test_set.splits, *test_set.distractors):
                other, dot, rest = split.partition(".")
                place = (other, rest) if dot else (test_set.dataset, split)
                found.append((f"test_sets.{name}", *place))
        return found

    def _captioned_splits(self) -> list[tuple[str, str, str]]:
        """The splits that are trained or measured on, which takes captions."""
        used = {name for experiment in self.experiments.values() for name in experiment.test_sets}
        used |= {comparison.test_set for comparison in self.comparisons}
        used |= {self.latency.test_set} if self.latency else set()
        return [
            found
            for found in self._split_references()
            if found[0].startswith("training_sets.") or found[0].removeprefix("test_sets.") in used
        ]

    def _require_capable(self, path: str, backbone: str, system: str) -> None:
        roles = self.systems[system].roles(backbone)
        for own, objective in roles.values():
            able = self.backbones[own].capabilities
            for task in self.objectives[objective].tasks:
                if task not in able:
                    raise ValueError(
                        f"{path}: system {system!r} needs objective {objective!r}, whose task {task!r} backbone "
                        f"{own!r} cannot do (it can: {list(able)}). Choose another system or backbone."
                    )
            if isinstance(self.backbones[own], PretrainedBackbone):
                self._require_only_of_regions(path, system, own, objective)
        spoken = {own: self.backbones[own].languages for own, _ in roles.values()}
        if len(set(spoken.values())) > 1:
            told = ", ".join(f"{own} {list(languages)}" for own, languages in spoken.items())
            raise ValueError(
                f"{path}: system {system!r} joins backbones of different languages ({told}); set their languages alike."
            )

    def _require_only_of_regions(self, path: str, system: str, backbone: str, objective: str) -> None:
        chosen = self.objectives[objective]
        for key, needed in (("cached_layers", chosen.cached_layers > 0), ("decay", chosen.decay == "reference")):
            if needed:
                raise ValueError(
                    f"{path}: system {system!r} needs objective {objective!r}, whose {key} {getattr(chosen, key)!r} only "
                    f"backbones of regions have, but {backbone!r} is a pretrained one. Choose another system or backbone."
                )

    def _require_seen(self, path: str, backbone: str, system: str, test_set: str) -> None:
        """ValueError where a model that reads pixels is to read a dataset of region features alone."""
        dataset = self.test_sets[test_set].dataset
        source = self.datasets[dataset]
        for own, _ in self.systems[system].roles(backbone).values():
            if self.backbones[own].sees != "regions" and isinstance(source, Published) and not source.images:
                raise ValueError(
                    f"{path}: backbone {own!r} reads pictures, but datasets.{dataset}.images names none. Give the "
                    "folders of its pictures."
                )

    @model_validator(mode="after")
    def _probabilities_come_from_log_odds(self) -> Config:
        for name, experiment in self.experiments.items():
            for backbone in experiment.backbones:
                score = getattr(self.backbones.get(backbone), "score", "log_odds")
                if score == "match_logit" and any(f.method == "weighted_probability" for f in experiment.fusions):
                    raise ValueError(
                        f"experiments.{name}.fusions: weighted_probability takes the probability of a match, which a "
                        f"match_logit alone does not give. Set backbones.{backbone}.score to log_odds, or leave it out."
                    )
        return self

    def _require_a_language(self, path: str, backbone: str, system: str, test_set: str) -> None:
        dataset = self.test_sets[test_set].dataset
        own, _ = next(iter(self.systems[system].roles(backbone).values()))  # those of both roles are alike
        read, written = self.backbones[own].languages, self.datasets[dataset].languages
        if not set(read) & set(written):
            raise ValueError(
                f"{path}: backbone {own!r} reads {list(read)}, but dataset {dataset!r} of test set {test_set!r} is in "
                f"{list(written)}. Choose another test set, or add one of its languages to the backbone's."
            )


def nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    return f"Did you mean {close[0]!r}?" if close else f"Use one of {known}."
