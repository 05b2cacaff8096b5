"""What is asked of the models: systems, test sets, experiments and their comparisons."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from reranksmart.values.precision import Precision
from reranksmart.values.settings import Count, Fraction, Frozen, Name, Names, SplitName


class System(Frozen):
    """What answers queries: objectives whose models retrieve and re-rank. Without a retriever all pairs are scored."""

    label: str = Field(description="its name in tables and figures")
    retriever: Name | None = Field(None, description="objective whose model retrieves; null: every pair is scored")
    reranker: Name | None = Field(None, description="objective whose model re-ranks; null: none does")
    normalised: bool = Field(
        False, description="push back what is near to every query, by a bank of training captions and images (NNN)"
    )
    neighbours: Count | None = Field(
        None,
        description="re-rank beyond the first k: as many neighbours of a good candidate are judged next, at k pairs a query in "
        "all (graph-based adaptive re-ranking); by the reranker alone, without fusion",
    )
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
    def _does_something(self) -> "System":
        if self.retriever is None and self.reranker is None:
            raise ValueError("a system needs a retriever, a reranker or both")
        if self.neighbours and not (self.retriever and self.reranker):
            raise ValueError("neighbours are of candidates that a reranker judges; name retriever and reranker")
        if self.normalised and self.retriever is None:
            raise ValueError("normalised corrects what a retriever finds, and none is given; name one, or leave it out")
        for role in ("retriever", "reranker"):
            if getattr(self, f"{role}_backbone") and not getattr(self, role):
                raise ValueError(f"{role}_backbone is given, but no {role}; name its objective, or leave both out")
        return self


class TestSet(Frozen):
    __test__ = False  # not a test class

    dataset: Name = Field(description="that asks and answers")
    split: Name = Field(description="whose captions and images ask each other")
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
    def _stands_alone(self) -> "TestSet":
        if self.folds and (self.distractors or self.twins):
            raise ValueError("folds are galleries of their own; leave distractors and twins out")
        if self.extended_relevance and (self.folds or self.distractors or self.captions_per_image):
            raise ValueError(
                f"extended_relevance is {list(self.extended_relevance)}, whose judgements are of the whole test split and "
                "of nothing else; leave folds, distractors and captions_per_image out"
            )
        return self


class AllowedLeak(Frozen):
    """A test on images of the training, allowed in spite of the audit, whose table names it."""

    training_set: Name = Field(description="that holds images of the test")
    test_set: Name = Field(description="whose table names the leak")


class Fusion(Frozen):
    method: Literal["none", "weighted", "weighted_probability", "reciprocal_rank", "calibrated"] = Field(
        "none",
        description="how the two scores are joined; none: the reranker alone; calibrated: log-odds + weight x cosine at a "
        "depth of each query's own, both chosen on dev",
    )
    weight: float = Field(0.0, ge=0, le=1, description="of the retriever's score")
    pairs: float | None = Field(
        None, ge=0, description="calibrated: most pairs a query in the mean on dev; null: what is best on dev"
    )
    risk: Fraction | None = Field(
        None, description="calibrated: the share of queries that may lose a right first item against full depth"
    )
    confidence: float = Field(0.9, gt=0, lt=1, description="calibrated: of the risk")

    @model_validator(mode="after")
    def _calibrates(self) -> "Fusion":
        if self.method != "calibrated" and (self.pairs is not None or self.risk is not None):
            raise ValueError(f"pairs and risk are limits of method calibrated, not of {self.method!r}; leave them out")
        if self.method == "calibrated" and (self.weight or (self.pairs is not None and self.risk is not None)):
            raise ValueError(
                "calibrated chooses its weight on dev, within pairs or within risk; give one limit at most"
            )
        return self

    @property
    def label(self) -> str:
        limits = {"pairs": self.pairs, "risk": self.risk}
        if self.method == "calibrated":
            return " ".join(
                ["calibrated", *(f"{name} {value:g}" for name, value in limits.items() if value is not None)]
            )
        return self.method if self.method == "none" else f"{self.method} {self.weight:g}"


class Experiment(Frozen):
    """Every combination of the lists is run."""

    backbones: Names = Field(description="each is shown apart")
    training_sets: Names = Field(description="of the models")
    systems: Names = Field(description="that are measured")
    test_sets: Names = Field(description="that they are measured on")
    seeds: Count | None = Field(None, description="the first so many of the configuration's seeds; null: all")
    depths: tuple[Count, ...] = Field((20,), min_length=1, description="k, the candidates re-ranked")
    fusions: tuple[Fusion, ...] = Field((Fusion(),), min_length=1, description="ways to join the two scores")

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

    backbone: Name = Field(description="of both systems")
    training_set: Name = Field(description="of both systems")
    test_set: Name = Field(description="that both answered")
    systems: tuple[Name, Name] = Field(description="the one that is claimed to be above, and the other")
    claim: str = Field(description="in words, as the table says it")
    fusion: str = Field(
        "none",
        description="how a system that re-ranks joins its scores: none, or another that an experiment measures, as "
        "calibrated or weighted 0.5",
    )


class Precisions(Frozen):
    """In which numbers trained models compute. "auto": bfloat16 where model and hardware gain by it, else float32."""

    encode: Precision = Field("auto", description="captions and images alone: retrieval")
    rerank: Precision = Field("auto", description="pairs: re-ranking")


class Shards(Frozen):
    """Jobs that share the work of one model on one split or gallery. Their number changes no result."""

    encode: Count = Field(1, description="jobs that encode the captions and images of a split")
    rerank: Count = Field(1, description="jobs that score the pairs of a gallery")
    index: Count = Field(
        1,
        description="jobs that fill the index of a gallery, whose lists are joined on the disk and searched there; where "
        "`index` is plain inverted lists (IVF...)",
    )
