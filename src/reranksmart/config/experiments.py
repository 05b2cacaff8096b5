"""What is asked of the models: systems, test sets, experiments and their comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from reranksmart.values.precision import Precision
from reranksmart.values.settings import Count, Frozen, Name, Names, SplitName


class System(Frozen):
    """What answers queries: objectives whose models retrieve and re-rank. Without a retriever all pairs are scored."""

    label: str
    retriever: Name | None = None
    reranker: Name | None = None
    retriever_backbone: Name | None = Field(None, description="null: that of the experiment")
    reranker_backbone: Name | None = Field(
        None, description="null: that of the experiment; another: one model retrieves, quite another re-ranks"
    )

    def roles(self, backbone: str) -> dict[str, tuple[str, str]]:
        """Backbone and objective of each role that the system has, in an experiment with ``backbone``."""
        found = {
            "retriever": (self.retriever_backbone or backbone, self.retriever),
            "reranker": (self.reranker_backbone or backbone, self.reranker),
        }
        return {role: (own, objective) for role, (own, objective) in found.items() if objective is not None}

    @model_validator(mode="after")
    def _does_something(self) -> System:
        if self.retriever is None and self.reranker is None:
            raise ValueError("a system needs a retriever, a reranker or both")
        for role in ("retriever", "reranker"):
            if getattr(self, f"{role}_backbone") and not getattr(self, role):
                raise ValueError(f"{role}_backbone is given, but no {role}; name its objective, or leave both out")
        return self


class TestSet(Frozen):
    __test__ = False  # not a test class

    dataset: Name
    split: Name
    distractors: tuple[SplitName, ...] = Field(
        (), description="splits whose images and captions enlarge the gallery; another dataset's as dataset.split"
    )
    captions_per_image: Count | None = Field(None, description="the first n of each language; null: all")
    twins: bool = Field(False, description="two and two consecutive images are twins; shown by tables of kind twins")
    label: str | None = Field(
        None, description="its name in tables; where the paper's numbers know it, they stand beside (MSCOCO 5k)"
    )
    folds: tuple[Name, ...] = Field(
        (),
        description="splits that are galleries apart, as COCO's five folds: queries of all together (instead of split)",
    )

    extended_relevance: tuple[Literal["eccv_caption", "cxc"], ...] = Field(
        (),
        description="also measure by judgements of further relevant pairs; of COCO's 5k test images only, whose captions "
        "carry their numbers in Karpathy's file",
    )

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that ask, each in a gallery of its own."""
        return self.folds or (self.split,)

    @model_validator(mode="after")
    def _folds_stand_alone(self) -> TestSet:
        if self.folds and (self.distractors or self.twins):
            raise ValueError("folds are galleries of their own; leave distractors and twins out")
        return self

    @model_validator(mode="after")
    def _judged_as_a_whole(self) -> TestSet:
        if self.extended_relevance and (self.folds or self.distractors or self.captions_per_image):
            raise ValueError(
                f"extended_relevance is {list(self.extended_relevance)}, whose judgements are of the whole test split and "
                "of nothing else; leave folds, distractors and captions_per_image out"
            )
        return self


class AllowedLeak(Frozen):
    """A test on images of the training, allowed in spite of the audit, whose table names it."""

    training_set: Name
    test_set: Name


class Fusion(Frozen):
    method: Literal["none", "weighted", "weighted_probability", "reciprocal_rank"] = "none"
    weight: float = Field(0.0, ge=0, le=1, description="of the retriever's score")

    @property
    def label(self) -> str:
        return self.method if self.method == "none" else f"{self.method} {self.weight:g}"


class Experiment(Frozen):
    """Every combination of the lists is run."""

    backbones: Names
    training_sets: Names
    systems: Names
    test_sets: Names
    depths: tuple[Count, ...] = Field((20,), min_length=1, description="k, the candidates re-ranked")
    fusions: tuple[Fusion, ...] = Field((Fusion(),), min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _tables_are_entries(cls, raw: Any) -> Any:
        for key in ("shown_as", "published") if isinstance(raw, Mapping) else ():
            if key in raw:
                raise ValueError(
                    f"{key} is no key of an experiment any more; write it into an entry of tables, as tables: {{my_table: "
                    "{kind: main, experiments: [my_experiment], published: [BLIP-2]}}"
                )
        return raw


class Comparison(Frozen):
    """A paired test of two systems on one test set."""

    backbone: Name
    training_set: Name
    test_set: Name
    systems: tuple[Name, Name]
    claim: str


class Precisions(Frozen):
    """In which numbers trained models compute. "auto": bfloat16 where model and hardware gain by it, else float32."""

    encode: Precision = Field("auto", description="captions and images alone: retrieval")
    rerank: Precision = Field("auto", description="pairs: re-ranking")


class Shards(Frozen):
    """Jobs that share the work of one model on one split or gallery. Their number changes no result."""

    encode: Count = Field(1, description="jobs that encode the captions and images of a split")
    rerank: Count = Field(1, description="jobs that score the pairs of a gallery")


class Latency(Frozen):
    backbone: Name
    training_set: Name
    test_set: Name
    systems: Names
    gallery_sizes: tuple[Count, ...] = Field(
        min_length=1, description="images; beyond the test set's, distractor vectors"
    )
    depths: tuple[Count, ...] = Field((10, 20, 50), min_length=1)
    queries: Count = Field(20, description="timed queries of each point")
    warmup: Count = 3
    pairs_measured: Count = Field(5000, description="largest gallery the exhaustive cross-encoder is really run on")
    indexes: tuple[str, ...] = Field(
        ("Flat", "HNSW32", "IVF64,Flat"), min_length=1, description="faiss factory strings compared"
    )
    index_vectors: Count = Field(20_000, description="vectors of the gallery on which indexes are compared")


class Network(Frozen):
    """The size of a single-stream network; the default is the paper's OSCAR-base."""

    vocab_size: Count = 30_522
    hidden_size: Count = 768
    layers: Count = 12
    heads: Count = 12
    intermediate_size: Count = 3072
    feature_size: Count = Field(2048, description="numbers of a region's feature")


class Timed(Frozen):
    captions: Count = 64
    images: Count = 24
    pairs: Count = 24


class Card(Frozen):
    """A card that is not at hand: its rows in the table are estimates and called so."""

    tflops: float = Field(gt=0, description="bfloat16 products it can do, 10^12 operations a second")
    pairs_a_second: float = Field(gt=0, description="aimed at")


class PlannedEvaluation(Frozen):
    """A whole evaluation of the paper's size, planned from rates of a network of its size with random weights."""

    network: Network = Network()
    captions: Count = 25_000
    images: Count = 5_000
    depth: Count = Field(20, description="k, the candidates re-ranked")
    tokens: Count = Field(14, description="of a caption, special tokens included")
    regions: Count = Field(50, description="of an image")
    timed: Timed = Field(Timed(), description="how many of each are timed")
    repeats: Count = 2
    cards: dict[str, Card] = Field({}, description="cards whose times are estimated, by name")
