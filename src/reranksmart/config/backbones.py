"""Transformers before fine-tuning: single-stream models of regions, or published models of ``transformers``."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from reranksmart.config.pretrained import PretrainedBackbone
from reranksmart.config.training import Objective
from reranksmart.files.declarations import declared
from reranksmart.values.facts import Capability, Facts, ImageForm
from reranksmart.values.settings import Count, Frozen, Languages, Name, OwnPath

_SINGLE_STREAM = {name: facts for name, facts in declared("families", Facts).items() if facts.single_stream}
if TYPE_CHECKING:
    EmbedderName = str
else:
    EmbedderName = Literal[tuple(_SINGLE_STREAM)]


class Pretraining(Frozen):
    """How the small backbone is made: words and regions aligned, keys that equal queries, then objectives."""

    split: Name | None = Field(
        None,
        description="of the training set's dataset, on which all of it is learned; null, and where the dataset has no such "
        "split: that which is trained on",
    )
    steps: Count = Field(600, description="of the alignment of words and regions")
    batch_size: Count = Field(64, description="captions of the alignment, each with its image")
    learning_rate: float = Field(3e-3, gt=0, description="of the alignment")
    temperature: float = Field(0.1, gt=0, description="of the alignment")
    keys_equal_queries: bool = Field(True, description="start attention with like attending to like")
    objectives: tuple[Objective, ...] = Field(
        (), description="what is learned after the alignment, one after the other: nothing is selected on dev"
    )

    @model_validator(mode="after")
    def _mines_for_itself(self) -> "Pretraining":
        if any(found.hard_negatives and found.hard_negatives.mined_by for found in self.objectives):
            raise ValueError(
                "hard_negatives.mined_by names a model, but pretraining comes before all models; leave it out"
            )
        return self


class Backbone(Frozen):
    """A single-stream text-image transformer; sizes are those of the published base models unless given."""

    embedder: EmbedderName = Field(description="VILLA's weights are read by uniter's")
    languages: Languages = ("en",)
    capabilities: tuple[Capability, ...] = Field(("bi_encoder", "cross_encoder"), description="tasks it is used for")
    vocabulary: Count = Field(30522, description="entries of the tokeniser, at most")
    hidden_size: Count = Field(768, description="width of a token")
    layers: Count = Field(12, description="of the trunk")
    heads: Count = Field(12, description="of attention in each layer")
    intermediate_size: Count = Field(3072, description="width inside a layer")
    dropout: float = Field(0.1, ge=0, lt=1, description="share of the values left out while training")
    max_tokens: Count = Field(70, description="tokens of a caption, special tokens not counted")
    pretraining: Pretraining = Pretraining()
    checkpoint: OwnPath | None = Field(
        None,
        description="published weights, a file or its folder, which give all sizes; null: a small backbone is made and "
        "pretrained on the training set's dataset. A folder with 0_OSCAR or 0_M3P in it is one of the paper's own models",
    )
    tokeniser: OwnPath | None = Field(
        None, description="folder of the checkpoint's tokeniser; null: the checkpoint's own"
    )
    object_tags: bool = Field(
        False, description="the names of an image's objects are read too, as a second segment (OSCAR)"
    )
    tag_tokens: Count = Field(50, description="tokens of an image's object tags, at most")
    normalise_inputs: bool = Field(
        False,
        description="M3P: features and geometry of each region scaled to length 1, as in its pretraining; the paper's "
        "own models were trained without",
    )
    score: Literal["log_odds", "match_logit"] = Field(
        "log_odds",
        description="what ranks pairs: log-odds of a match, in the order of its probability; match_logit: the logit of a "
        "match alone, by which the published evaluators ranked (another order, since the other logit differs too)",
    )

    @property
    def facts(self) -> Facts:
        return _SINGLE_STREAM[self.embedder]

    @property
    def module(self) -> str:
        """Of its family."""
        return f"reranksmart.families.{self.embedder}"

    @property
    def sees(self) -> ImageForm:
        return self.facts.sees

    @model_validator(mode="after")
    def _sizes_once(self) -> "Backbone":
        made_here = {"vocabulary", "hidden_size", "layers", "heads", "intermediate_size", "dropout", "pretraining"}
        if self.checkpoint and (given := sorted(made_here & self.model_fields_set)):
            raise ValueError(f"{given} are the checkpoint's ({self.checkpoint}); leave them out, or the checkpoint")
        needless = [key for key in ("tokeniser", "normalise_inputs") if getattr(self, key) and not self.checkpoint]
        if needless:
            raise ValueError(f"{needless} belong to a published checkpoint; name it as checkpoint, or leave them out")
        if self.hidden_size % self.heads:
            raise ValueError(f"hidden_size {self.hidden_size} is no multiple of heads {self.heads}; change one of them")
        return self


def _kind(value: Any) -> str:
    """Which kind of backbone settings are meant; family is the key that only the one has."""
    pretrained = isinstance(value, PretrainedBackbone) or (isinstance(value, dict) and "family" in value)
    return "a pretrained backbone" if pretrained else "a backbone of regions"


AnyBackbone = Annotated[
    Annotated[Backbone, Tag("a backbone of regions")] | Annotated[PretrainedBackbone, Tag("a pretrained backbone")],
    Discriminator(_kind),
]


class Reading(Frozen):
    """What of a backbone's settings matters for reading captions and images: not how it was made."""

    embedder: str | None = Field(None, description="of a backbone of regions")
    family: str | None = Field(None, description="of a pretrained backbone")
    languages: Languages = ("en",)
    max_tokens: Count = 70
    object_tags: bool = False
    tag_tokens: Count = 50
    score: str = Field("log_odds", description="of pairs, given where pairs are scored")

    @property
    def module(self) -> str:
        """Of its family."""
        return f"reranksmart.families.{self.embedder or self.family}"

    @property
    def tags_read(self) -> int:
        """Tokens of object tags that are read of each image; 0 where none are."""
        return self.tag_tokens if self.object_tags else 0
