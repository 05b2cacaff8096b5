"""Every key of the configuration, each valid by itself."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator, model_validator

from reranksmart.config.backbones import AnyBackbone
from reranksmart.config.costs import Latency, PlannedEvaluation
from reranksmart.config.datasets import AnyDataset, Downloads, RegionFeatures
from reranksmart.config.experiments import (
    AllowedLeak,
    Comparison,
    Experiment,
    Precisions,
    Shards,
    System,
    TestSet,
)
from reranksmart.config.tables import AnyFigure, AnyTable
from reranksmart.config.training import Objective, TrainingSet
from reranksmart.report.kinds import figure_kinds, table_kinds
from reranksmart.values.factories import Factory, is_filled_in_shares
from reranksmart.values.settings import Count, Fraction, Frozen, Name, Seed


class Keys(Frozen):
    seeds: tuple[Seed, ...] = Field(
        (1,),
        min_length=1,
        description="one model per seed; several give means over seeds, their deviation and claims that hold beyond them",
    )
    datasets: dict[Name, AnyDataset] = Field(description="captions and images, by name")
    downloads: Downloads = Downloads()
    regions: RegionFeatures = RegionFeatures()
    backbones: dict[Name, AnyBackbone] = Field(description="models before they are trained, by name")
    training_sets: dict[Name, TrainingSet] = Field(description="what models are trained and selected on, by name")
    objectives: dict[Name, Objective] = Field(description="how a model is trained, by name")
    systems: dict[Name, System] = Field(description="which models retrieve and which re-rank, by name")
    test_sets: dict[Name, TestSet] = Field(description="queries and galleries, by name")
    experiments: dict[Name, Experiment] = Field(min_length=1, description="what is measured on what, by name")
    tables: dict[Name, AnyTable] = Field(min_length=1, description="of the report, in its order")
    figures: dict[Name, AnyFigure] = Field({}, description="of the report, in its order")
    headline: Name | None = Field(
        None, description="the table whose numbers come first, and whose models train first; null: the first one"
    )
    depth: Count = Field(20, description="k at which systems are compared, timed and shown in examples")
    comparisons: tuple[Comparison, ...] = Field(
        (), description="claims that are tested: the first system above the second"
    )
    allowed_leaks: tuple[AllowedLeak, ...] = Field((), description="tests on trained images that the audit lets pass")
    latency: Latency | None = Field(None, description="what is timed; null: nothing")
    planned_evaluation: PlannedEvaluation | None = Field(None, description="null: none")
    precision: Precisions = Precisions()
    shards: Shards = Shards()
    processes: Count = Field(
        1, description="that share each step of a training, by accelerate; one for each GPU where there are GPUs"
    )
    index: Factory = Field("Flat", description="faiss factory string of the retrievers' index")
    candidates: int = Field(50, ge=10, description="items kept of each query's retrieval")
    false_alarms: tuple[Fraction, ...] = Field(
        (0.01, 0.05, 0.1),
        min_length=1,
        description="of the queries whose answer is there, the shares that may be told that nothing matches; for tables of "
        "kind absence",
    )
    bootstrap: Count = Field(1000, description="resamples of an interval")
    permutations: Count = Field(10_000, description="draws of a paired test")

    @model_validator(mode="before")
    @classmethod
    def _tables_are_entries(cls, raw: Any) -> Any:
        if isinstance(raw, Mapping) and "experiments" in raw and "tables" not in raw:
            raise ValueError(
                "tables: missing. No experiment has a table by its name any more: write an entry for each table, as tables: "
                "{table1_main: {kind: main, experiments: [main, main_exhaustive]}}, and for each figure, as figures: {depth: "
                f"{{kind: depth, experiments: [depth, main]}}}}. Kinds of tables: {list(table_kinds())}; of figures: "
                f"{list(figure_kinds())}."
            )
        if isinstance(raw, Mapping):  # an overlay takes an entry away by null
            sections = {name: raw[name] for name in ("tables", "figures") if isinstance(raw.get(name), Mapping)}
            entries = {name: {k: v for k, v in found.items() if v is not None} for name, found in sections.items()}
            return {**raw, **entries}
        return raw

    @property
    def headline_table(self) -> str:
        return self.headline or next(iter(self.tables))

    @property
    def headline_experiment(self) -> Experiment | None:
        """The first experiment of the table whose numbers come first; None where it shows none."""
        names = getattr(self.tables[self.headline_table], "experiments", ())
        return self.experiments[names[0]] if names else None

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) != len(seeds):
            raise ValueError(f"seeds {list(seeds)} repeat; each seed once")
        return seeds

    @model_validator(mode="after")
    def _fit_together(self) -> "Keys":
        for name, dataset in self.datasets.items():
            if not dataset.has_pictures and dataset.region_files is None:
                raise ValueError(
                    f"datasets.{name}: neither images nor regions are given, so that no picture can be seen; give "
                    "folders of pictures, or files of region features"
                )
        if self.shards.index > 1 and not is_filled_in_shares(self.index):
            raise ValueError(
                f"shards.index: {self.shards.index} jobs are to fill index {self.index!r}, but only inverted lists are filled in "
                "shares, of Flat, SQ, PQ or RaBitQ codes without transformation or refinement. Set index to such a factory string, as "
                "'IVF4096,SQ8', or shards.index to 1."
            )
        for name, test_set in self.test_sets.items():
            asked = self.datasets.get(test_set.dataset)
            if asked and asked.foils and not test_set.twins:
                raise ValueError(
                    f"test_sets.{name}: every second caption of dataset {test_set.dataset!r} is false of its picture, so that "
                    "only choices can be measured; write twins: true into the test set"
                )
        return self
