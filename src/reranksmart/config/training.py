"""What a model learns from, and how."""

from typing import Literal

from pydantic import Field, model_validator

from reranksmart.values.settings import Count, Fraction, Frozen, Name

TASKS = ("bi_encoder", "cross_encoder", "sampled_triplet")


class TrainingSet(Frozen):
    dataset: Name = Field(description="whose captions and images are learned")
    split: Name = Field("train", description="that is trained on")
    dev_split: Name = Field("dev", description="by whose recall the weights are chosen")
    fraction: Fraction = Field(1.0, description="share of the training images, the first ones of a seeded order")
    doubles: Literal["warn", "refuse"] = Field(
        "warn",
        description="where a test on another dataset has a picture of the training saved anew or made smaller: say so before "
        "training, or refuse it",
    )


class BiEncoderTask(Frozen):
    """Captions and images of a batch find each other by their embeddings."""

    loss: Literal["triplet", "infonce"] = Field(
        "triplet", description="the hardest negative of a batch, or all of them"
    )
    batch_size: int = Field(128, ge=2, description="captions, each with its image")
    margin: float = Field(0.1, gt=0, description="of the triplet loss")
    temperature: float = Field(0.05, gt=0, description="of InfoNCE")


class CrossEncoderTask(Frozen):
    """Pairs of a caption and an image are told apart: matches, and others."""

    batch_size: Count = Field(128, description="positive pairs; as many negative pairs are added")


class SampledTripletTask(Frozen):
    """The bi-encoder once more, against mined negatives alone, drawn by the softmax of their cosines (ANCE)."""

    batch_size: Count = Field(16, description="captions, each with its image")
    negatives: Count = Field(7, description="mined images of each caption, and mined captions of its image")
    margin: float = Field(0.1, gt=0, description="of the triplet loss")


class HardNegatives(Frozen):
    """Negatives mined with the model's own search, refreshed while training (ANCE), or once by another model's."""

    mined_by: Name | None = Field(
        None,
        description="the objective whose model, of the same seed, mines: the retriever that a separate cross-encoder will "
        "serve; null: the model itself",
    )
    refresh_every: Count | None = Field(
        None, description="outer steps between two refreshes; null where another model mines, which stays as it is"
    )
    first_at: int = Field(0, ge=0, description="outer step of the first refresh; before it negatives are random")
    depth: Count = Field(50, description="ranks from which a negative is drawn")
    probability: Fraction = Field(0.05, description="of a mined negative instead of a random one")
    judged_below: Fraction | None = Field(
        None,
        description="leave out what the model's own cross-encoder gives at least this share of the match probability of the "
        "query's own pair: probably true (positive-aware); every mined item is scored at each refresh, so keep depth small",
    )
    draw: Literal["uniform", "softmax"] = Field(
        "uniform", description="which of the mined ones: any, or by the softmax of their cosines, as the published code"
    )

    @model_validator(mode="after")
    def _refreshed_by_itself_alone(self) -> "HardNegatives":
        if (self.mined_by is None) == (self.refresh_every is None):
            raise ValueError(
                f"mined_by is {self.mined_by!r} and refresh_every {self.refresh_every}; give one of them: refresh_every "
                "where the model mines for itself as it learns, mined_by where another model does, once"
            )
        return self


class Distillation(Frozen):
    """The joint model's cross-encoder teaches its bi-encoder, beside the bi-encoder's own loss."""

    loss: Literal["divergence", "ranking"] = Field(
        "divergence",
        description="what is learned of the teacher: its confidence among candidates (KL), or only its order among hard "
        "negatives (CPRD)",
    )
    queries: Count = Field(16, description="captions of a bi-encoder batch that are taught, and as many images")
    candidates: int = Field(
        8,
        ge=2,
        description="items scored for each of them: the nearest in the batch, its own among them if by divergence",
    )
    weight: float = Field(1.0, gt=0, description="of the divergence beside the bi-encoder's own loss")
    temperature: float = Field(0.05, gt=0, description="of the bi-encoder's cosines")
    teacher_temperature: float = Field(1.0, gt=0, description="of the cross-encoder's log-odds")
    first_at: int = Field(0, ge=0, description="outer step from which the cross-encoder teaches")


class Objective(Frozen):
    """How a model is trained. One task: separate training; two: joint training by alternating optimiser steps."""

    bi_encoder: BiEncoderTask | None = None
    cross_encoder: CrossEncoderTask | None = None
    sampled_triplet: SampledTripletTask | None = None
    schedule: tuple[Literal["bi_encoder", "cross_encoder", "sampled_triplet"], ...] = Field(
        (), description="tasks of one outer step in order; empty: each task once"
    )
    steps: int = Field(30_000, ge=0, description="outer steps; 0 takes the backbone as it is, as a published model")
    learning_rate: float = Field(5e-5, gt=0, description="peak")
    warmup_steps: int = Field(0, ge=0, description="outer steps")
    weight_decay: float = Field(0.05, ge=0, description="a step, in learning rates")
    clip_norm: float = Field(1.0, gt=0, description="largest gradient norm")
    accumulation: Count = Field(1, description="batches whose gradients are joined before an optimiser step")
    accumulated: Literal["mean", "sum"] = Field(
        "mean", description="how they are joined; sum: as the published code, whose steps grow with their number"
    )
    optimiser: Literal["adamw", "fused_adamw", "reference_adamw"] = Field(
        "adamw", description="fused_adamw: the same rule in one pass over the weights, rounded otherwise"
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of the trunk's products while training; weights, head and losses stay float32"
    )
    decay: Literal["matrices", "reference"] = Field(
        "matrices",
        description="weights that decay: all but biases and LayerNorms; reference: also the LayerNorms of M3P and UNITER "
        "whose names the published code overlooks",
    )
    hard_negatives: HardNegatives | None = None
    distillation: Distillation | None = None
    cached_layers: int = Field(0, ge=0, description="first layers that read text and image of a pair apart (PreTTR)")
    evaluate_every: Count = Field(2500, description="outer steps between two evaluations on dev")
    dev_images: Count = Field(1000, description="images of dev for the bi-encoder's recall, five captions each")
    dev_pair_images: Count = Field(256, description="images of dev for the cross-encoder's recall, one caption each")
    checkpoint_every: Count = Field(500, description="outer steps between two checkpoints")

    @model_validator(mode="after")
    def _has_tasks(self) -> "Objective":
        if not self.tasks:
            raise ValueError("an objective needs bi_encoder, cross_encoder or both")
        unknown = set(self.schedule) - set(self.tasks)
        if unknown:
            raise ValueError(f"schedule names {sorted(unknown)}, which the objective does not define")
        if self.schedule and (left := sorted(set(self.tasks) - set(self.schedule))):
            raise ValueError(
                f"schedule {list(self.schedule)} leaves out {left}, which would never be trained; add or drop them"
            )
        if self.sampled_triplet and not (self.hard_negatives and self.bi_encoder):
            raise ValueError("sampled_triplet draws from hard_negatives beside the bi_encoder task; define both")
        if self.hard_negatives and self.hard_negatives.judged_below and "cross_encoder" not in self.tasks:
            raise ValueError("hard_negatives.judged_below needs the cross_encoder task, which judges; define it")
        if self.hard_negatives and not {"cross_encoder", "sampled_triplet"} & set(self.tasks):
            raise ValueError(
                "hard_negatives feed the tasks cross_encoder and sampled_triplet, which this objective does not define"
            )
        if self.hard_negatives and not self.hard_negatives.mined_by and "bi_encoder" not in self.tasks:
            raise ValueError(
                "hard_negatives are mined with the bi-encoder task, which this objective does not define; name in mined_by "
                "an objective that does"
            )
        if self.distillation and not {"bi_encoder", "cross_encoder"} <= set(self.tasks):
            raise ValueError("distillation needs both tasks: the cross_encoder teaches the bi_encoder")
        if self.distillation and (task := self.bi_encoder):
            for key in ("queries", "candidates"):
                if (asked := getattr(self.distillation, key)) > task.batch_size:
                    raise ValueError(
                        f"distillation.{key} is {asked}, more than bi_encoder.batch_size {task.batch_size}, of which they are "
                        "taken; lower it"
                    )
        if self.cached_layers and "cross_encoder" not in self.tasks:
            raise ValueError("cached_layers are of the cross_encoder task, which this objective does not define")
        return self

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(name for name in TASKS if getattr(self, name) is not None)
