"""Every key of the configuration, each valid by itself."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from reranksmart.config.backbones import AnyBackbone
from reranksmart.config.datasets import AnyDataset, Downloads, RegionFeatures
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
from reranksmart.config.training import Objective, TrainingSet
from reranksmart.values.settings import Count, Frozen, Name, Seed


class Keys(Frozen):
    seeds: tuple[Seed, ...] = Field((1,), min_length=1)
    datasets: dict[Name, AnyDataset]
    downloads: Downloads = Downloads()
    regions: RegionFeatures = RegionFeatures()
    backbones: dict[Name, AnyBackbone]
    training_sets: dict[Name, TrainingSet]
    objectives: dict[Name, Objective]
    systems: dict[Name, System]
    test_sets: dict[Name, TestSet]
    experiments: dict[Name, Experiment] = Field(min_length=1)
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

    @property
    def main_depth(self) -> int:
        """The depth of Table 1, at which systems are compared: the first that its experiment names."""
        return self.experiments["main"].depths[0] if "main" in self.experiments else 20

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) != len(seeds):
            raise ValueError(f"seeds {list(seeds)} repeat; each seed once")
        return seeds

    @model_validator(mode="after")
    def _pictures_can_be_seen(self) -> Keys:
        for name, dataset in self.datasets.items():
            if not dataset.has_pictures and dataset.region_files is None:
                raise ValueError(
                    f"datasets.{name}: neither images nor regions are given, so that no picture can be seen; give "
                    "folders of pictures, or files of region features"
                )
        return self
