"""Backbones of ``transformers``: published checkpoints, from a hub or a folder, and how they are fine-tuned."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from reranksmart.config.library import Library
from reranksmart.files.declarations import declared
from reranksmart.files.library_folder import require_usable
from reranksmart.values.facts import Capability, Facts, ImageForm
from reranksmart.values.settings import OWN_OR_NAME, Count, Frozen, Languages

FAMILIES = {name: facts for name, facts in declared("families", Facts).items() if not facts.single_stream}
if TYPE_CHECKING:
    FamilyName = str
else:
    FamilyName = Literal[tuple(FAMILIES)]


class Lora(Frozen):
    """Low-rank adapters on the attention's projections (Hu et al. 2022): they and the heads move, nothing else."""

    rank: Count = Field(8, description="of the adapters' product")
    alpha: Count = Field(16, description="the adapters' product is scaled by alpha / rank")
    dropout: float = Field(0.0, ge=0, lt=1, description="of what an adapter reads")


class Tuning(Frozen):
    """How a published model is fine-tuned."""

    frozen: tuple[Literal["vision", "text"], ...] = Field((), description="towers whose weights stay as published")
    lora: Lora | None = Field(None, description="null: all weights that are not frozen move")
    gradient_checkpointing: bool = Field(
        False, description="layers' states are computed again in the backward pass: less memory, a third more time"
    )


class PretrainedBackbone(Frozen):
    """A published model of a family: it is taken as it is, or fine-tuned."""

    family: FamilyName = Field(
        description="siglip reads SigLIP 2 of one resolution too; siglip2_naflex pictures of any shape; visualbert and "
        "lxmert a detector's regions. As bi-encoders vilt, visualbert and lxmert, and bridgetower but for its "
        "contrastive checkpoints, need fine-tuning"
    )
    checkpoint: Annotated[str, OWN_OR_NAME] = Field(
        min_length=1, description="its name on the Hugging Face hub, as Salesforce/blip-itm-base-coco, or a folder"
    )
    tokeniser: Annotated[str, OWN_OR_NAME] | None = Field(
        None,
        min_length=1,
        description="name or folder of the tokeniser where the checkpoint has none, as google-bert/bert-base-uncased "
        "for visualbert; null: the checkpoint's own",
    )
    local_files_only: bool = Field(False, description="the hub is not asked; a name must be in its cache already")
    languages: Languages = ("en",)
    max_tokens: Count | None = Field(
        None, description="tokens of a caption, special tokens not counted; null: the family's"
    )
    score: str = Field(
        "log_odds",
        description="of a pair; blip, blip2: match_logit_plus_cosine is the logit of a match alone plus the towers' "
        "cosine, as LAVIS ranks",
    )

    tuning: Tuning = Tuning()
    library: Library | None = Field(None, description="of family sentence_transformers: how it is opened and asked")

    @property
    def facts(self) -> Facts:
        return FAMILIES[self.family]

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        return self.library.capabilities if self.library else self.facts.capabilities

    @property
    def module(self) -> str:
        """Of its family."""
        return f"reranksmart.families.{self.family}"

    @property
    def sees(self) -> ImageForm:
        return self.facts.sees

    @model_validator(mode="after")
    def _as_its_family_can(self) -> "PretrainedBackbone":
        if (self.library is not None) != self.facts.opened_by_library:
            raise ValueError(
                f"library belongs to family sentence_transformers; leave it out of {self.family}"
                if self.library
                else f"{self.family} needs library.opened_as: retriever, reranker or late_interaction"
            )
        if self.library and Path(self.checkpoint).is_dir():
            asked: dict[str, Any] = {
                "opened_as": self.library.opened_as,
                "trust_remote_code": self.library.trust_remote_code,
            }
            require_usable(Path(self.checkpoint), **asked)
        if self.score not in self.facts.scores:
            raise ValueError(
                f"{self.family} has no score {self.score!r}; it has {list(self.facts.scores)}. Choose one, or leave it out."
            )
        return self
