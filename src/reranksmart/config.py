"""The whole configuration: what each key means, its unit, its default (the paper's) and what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Language = Literal["en", "de", "fr", "cs"]
Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(gt=0, le=1)]


class ConfigError(ValueError):
    """A configuration that cannot run, with the key, what is allowed and what to do."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Scenes(_Frozen):
    """Composed photographs with captions that are true by construction."""

    kind: Literal["scenes"]
    seed: int = Field(1, description="seed of stamps held out, scenes and captions")
    languages: tuple[Language, ...] = ("en", "de", "fr", "cs")
    stamps: str | None = Field(None, description="path of the stamps' archive or folder; null fetches it")
    splits: dict[Name, Count] = Field(description="number of images of each split")


class FileSplit(_Frozen):
    captions: str = Field(description="JSON Lines file: id, text, image (path below `images`), language")
    images: str = Field(description="folder of pictures")


class Files(_Frozen):
    """Your own pictures and captions."""

    kind: Literal["files"]
    languages: tuple[Language, ...] = ("en",)
    splits: dict[Name, FileSplit]


Dataset = Annotated[Scenes | Files, Field(discriminator="kind")]


class RegionFeatures(_Frozen):
    maximum: int = Field(12, ge=1, le=100, description="regions kept of an image")
    shards: Count = Field(2, description="jobs that share one split's images")


class Pretraining(_Frozen):
    """How the small backbone is made: word-region alignment, then attention whose keys equal its queries."""

    steps: Count = 600
    batch_size: Count = 64
    learning_rate: float = Field(3e-3, gt=0)
    temperature: float = Field(0.1, gt=0)
    keys_equal_queries: bool = Field(True, description="start attention with like attending to like")


class Backbone(_Frozen):
    """A single-stream text-image transformer; sizes are those of the published base models unless given."""

    embedder: Literal["oscar", "m3p"]
    languages: tuple[Language, ...] = ("en",)
    capabilities: tuple[Literal["bi_encoder", "cross_encoder"], ...] = ("bi_encoder", "cross_encoder")
    vocabulary: Count = Field(30522, description="entries of the tokeniser, at most")
    hidden_size: Count = 768
    layers: Count = 12
    heads: Count = 12
    intermediate_size: Count = 3072
    dropout: float = Field(0.1, ge=0, lt=1)
    max_tokens: Count = Field(70, description="tokens of a caption, special tokens not counted (PROTOCOL B2.2)")
    pretraining: Pretraining = Pretraining()


class TrainingSet(_Frozen):
    dataset: Name
    split: Name = "train"
    dev_split: Name = "dev"
    fraction: Fraction = Field(1.0, description="share of the training images, the first ones of a seeded order")


class BiEncoderTask(_Frozen):
    loss: Literal["triplet", "infonce"] = "triplet"
    batch_size: int = Field(128, ge=2, description="captions, each with its image")
    margin: float = Field(0.1, gt=0, description="of the triplet loss")
    temperature: float = Field(0.05, gt=0, description="of InfoNCE")


class CrossEncoderTask(_Frozen):
    batch_size: Count = Field(128, description="positive pairs; as many negative pairs are added")


class HardNegatives(_Frozen):
    """Negatives mined with the model's own search, refreshed while training (ANCE)."""

    refresh_every: Count = Field(description="outer steps between two refreshes")
    first_at: int = Field(0, ge=0, description="outer step of the first refresh; before it negatives are random")
    depth: Count = Field(50, description="ranks from which a negative is drawn")
    probability: Fraction = Field(0.05, description="of a mined negative instead of a random one")


class Objective(_Frozen):
    """How a model is trained. One task: separate training; two: joint training by alternating optimiser steps."""

    bi_encoder: BiEncoderTask | None = None
    cross_encoder: CrossEncoderTask | None = None
    schedule: tuple[Literal["bi_encoder", "cross_encoder"], ...] = Field(
        (), description="tasks of one outer step in order; empty: each task once"
    )
    steps: Count = Field(30_000, description="outer steps")
    learning_rate: float = Field(5e-5, gt=0, description="peak")
    warmup_steps: int = Field(0, ge=0, description="outer steps")
    weight_decay: float = Field(0.05, ge=0)
    clip_norm: float = Field(1.0, gt=0, description="largest gradient norm")
    accumulation: Count = Field(1, description="batches whose gradients are averaged before an optimiser step")
    optimiser: Literal["adamw", "reference_adamw"] = "adamw"
    hard_negatives: HardNegatives | None = None
    evaluate_every: Count = Field(2500, description="outer steps between two evaluations on dev")
    dev_images: Count = Field(1000, description="images of dev for the bi-encoder's recall, five captions each")
    dev_pair_images: Count = Field(256, description="images of dev for the cross-encoder's recall, one caption each")
    checkpoint_every: Count = Field(500, description="outer steps between two checkpoints")

    @model_validator(mode="after")
    def _has_tasks(self) -> Objective:
        if not self.tasks:
            raise ValueError("an objective needs bi_encoder, cross_encoder or both")
        unknown = set(self.schedule) - set(self.tasks)
        if unknown:
            raise ValueError(f"schedule names {sorted(unknown)}, which the objective does not define")
        if self.hard_negatives and "cross_encoder" not in self.tasks:
            raise ValueError("hard_negatives feed the cross-encoder task, which this objective does not define")
        if self.hard_negatives and "bi_encoder" not in self.tasks:
            raise ValueError("hard_negatives are mined with the bi-encoder task, which this objective does not define")
        return self

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(name for name in ("bi_encoder", "cross_encoder") if getattr(self, name) is not None)


class System(_Frozen):
    """What answers queries: objectives whose models retrieve and re-rank. Without a retriever all pairs are scored."""

    label: str
    retriever: Name | None = None
    reranker: Name | None = None

    @model_validator(mode="after")
    def _does_something(self) -> System:
        if self.retriever is None and self.reranker is None:
            raise ValueError("a system needs a retriever, a reranker or both")
        return self


class TestSet(_Frozen):
    __test__ = False  # not a test class

    dataset: Name
    split: Name
    distractors: tuple[Name, ...] = Field((), description="splits whose images and captions enlarge the gallery")
    captions_per_image: Count | None = Field(None, description="the first n of each language; null: all")
    twins: bool = Field(False, description="consecutive images are twins: also measure twin accuracy")


class Fusion(_Frozen):
    method: Literal["none", "weighted", "weighted_probability", "reciprocal_rank"] = "none"
    weight: float = Field(0.0, ge=0, le=1, description="of the retriever's score")

    @property
    def label(self) -> str:
        return self.method if self.method == "none" else f"{self.method} {self.weight:g}"


class Experiment(_Frozen):
    """Every combination of the lists is run."""

    backbones: tuple[Name, ...]
    training_sets: tuple[Name, ...]
    systems: tuple[Name, ...]
    test_sets: tuple[Name, ...]
    depths: tuple[Count, ...] = Field((20,), description="k, the candidates re-ranked")
    fusions: tuple[Fusion, ...] = (Fusion(),)


class Comparison(_Frozen):
    """A paired test of two systems on one test set."""

    backbone: Name
    training_set: Name
    test_set: Name
    systems: tuple[Name, Name]
    claim: str


class Latency(_Frozen):
    backbone: Name
    training_set: Name
    test_set: Name
    systems: tuple[Name, ...]
    gallery_sizes: tuple[Count, ...] = Field(description="images; beyond the test set's, distractor vectors")
    depths: tuple[Count, ...] = (10, 20, 50)
    queries: Count = Field(20, description="timed queries of each point")
    warmup: Count = 3
    pairs_measured: Count = Field(5000, description="largest gallery the exhaustive cross-encoder is really run on")
    indexes: tuple[str, ...] = Field(("Flat", "HNSW32", "IVF64,Flat"), description="faiss factory strings compared")
    index_vectors: Count = Field(20_000, description="vectors of the gallery on which indexes are compared")


class Config(_Frozen):
    seeds: tuple[int, ...] = Field((1,), min_length=1)
    datasets: dict[Name, Dataset]
    regions: RegionFeatures = RegionFeatures()
    backbones: dict[Name, Backbone]
    training_sets: dict[Name, TrainingSet]
    objectives: dict[Name, Objective]
    systems: dict[Name, System]
    test_sets: dict[Name, TestSet]
    experiments: dict[Name, Experiment]
    comparisons: tuple[Comparison, ...] = ()
    latency: Latency | None = None
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
    def _names_exist(self) -> Config:
        for path, kind, name in self._references():
            known = list(getattr(self, kind))
            if name not in known:
                raise ValueError(f"{path}: {name!r} is not among {kind}: {known}. {_nearest(name, known)}")
        for path, dataset, split in self._split_references():
            known = list(self.datasets[dataset].splits)
            if split not in known:
                raise ValueError(
                    f"{path}: dataset {dataset!r} has no split {split!r}; it has {known}. {_nearest(split, known)}"
                )
        for name, experiment in self.experiments.items():
            for backbone in experiment.backbones:
                for system in experiment.systems:
                    self._require_capable(f"experiments.{name}", backbone, system)
        return self

    def _references(self) -> list[tuple[str, str, str]]:
        found = [(f"training_sets.{n}.dataset", "datasets", t.dataset) for n, t in self.training_sets.items()]
        found += [(f"test_sets.{n}.dataset", "datasets", t.dataset) for n, t in self.test_sets.items()]
        for name, system in self.systems.items():
            for role in ("retriever", "reranker"):
                if getattr(system, role):
                    found.append((f"systems.{name}.{role}", "objectives", getattr(system, role)))
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
            for split in (test_set.split, *test_set.distractors):
                found.append((f"test_sets.{name}", test_set.dataset, split))
        return found

    def _require_capable(self, path: str, backbone: str, system: str) -> None:
        able = self.backbones[backbone].capabilities
        for objective in filter(None, (self.systems[system].retriever, self.systems[system].reranker)):
            for task in self.objectives[objective].tasks:
                if task not in able:
                    raise ValueError(
                        f"{path}: system {system!r} needs objective {objective!r}, whose task {task!r} backbone "
                        f"{backbone!r} cannot do (it can: {list(able)}). Choose another system or backbone."
                    )


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    return f"Did you mean {close[0]!r}?" if close else f"Use one of {known}."


def _known_keys(model: Any, path: tuple[Any, ...]) -> list[str]:
    """The keys that the schema allows at ``path``."""
    for part in path:
        if get_origin(model) is Annotated:
            model = get_args(model)[0]
        if get_origin(model) is dict:
            model = get_args(model)[1]
        elif get_origin(model) is tuple:
            model = get_args(model)[0]
        elif isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields:
            model = model.model_fields[part].annotation
        else:  # a union: the part is the variant's tag
            tagged = [variant for variant in _variants(model) if "kind" in variant.model_fields]
            kinds = {get_args(variant.model_fields["kind"].annotation)[0]: variant for variant in tagged}
            model = kinds.get(part) or next(
                (k.model_fields[part].annotation for k in _variants(model) if part in k.model_fields), None
            )
    return [key for variant in _variants(model) for key in variant.model_fields]


def _variants(model: Any) -> list[type[BaseModel]]:
    if get_origin(model) is Annotated:
        model = get_args(model)[0]
    options = get_args(model) if get_origin(model) in (Union, type(int | str)) else (model,)
    return [option for option in options if isinstance(option, type) and issubclass(option, BaseModel)]


def _describe(error: Mapping[str, Any]) -> str:
    location = error["loc"]
    path = ".".join(str(part) for part in location)
    if error["type"] == "extra_forbidden":
        known = _known_keys(Config, location[:-1])
        return f"{path}: unknown key {location[-1]!r}. {_nearest(str(location[-1]), known)} Known keys: {known}."
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error":
        return f"{path}: {message}" if path else message
    if error["type"] == "missing":
        return f"{path}: missing. Add this key; see the comments of config.yaml."
    return f"{path}: {message}, got {error['input']!r}. Change this value in the configuration."


def validated(raw: Mapping[str, Any]) -> Config:
    """The configuration, checked whole; ConfigError lists every fault with its path and the nearest known key."""
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        faults = "\n".join(f"  - {_describe(fault)}" for fault in error.errors())
        raise ConfigError(f"The configuration cannot run:\n{faults}") from None
