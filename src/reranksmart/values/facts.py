"""What all checkpoints of a backbone family have in common, known without opening one."""

from dataclasses import dataclass
from typing import Literal

Capability = Literal["bi_encoder", "cross_encoder"]
ImageForm = Literal["regions", "pixels", "states", "pictures"]
BOTH: tuple[Capability, ...] = ("bi_encoder", "cross_encoder")


@dataclass(frozen=True)
class Facts:
    """The facts of one family; its module states them in literals, so that they are read without importing torch."""

    sees: ImageForm
    """What its models read of an image. "states": those of its vision tower, which are made once and stored; "pictures":
    the files themselves, which its library prepares."""
    max_tokens: int = 70
    """Tokens of a caption that fit beside the special ones, or that its authors read."""
    capabilities: tuple[Capability, ...] = BOTH
    scores: tuple[str, ...] = ("log_odds",)
    vision_weights: int = 86_000_000
    """Of the tower that reads pixels, in its base checkpoints: a ViT-B unless another is given."""
    opened_by_library: bool = False
    """Its checkpoints are opened by a library, in a role that the configuration names, and are not trained here."""
    unread_marks: str = ""
    """A regular expression of punctuation that its captions lose, in training and ranking."""
    single_stream: bool = False
    """Its models are a ``SingleStream`` with an embedder of their own; small ones can be made here."""
    tokeniser: Literal["wordpiece", "unigram"] = "wordpiece"
    """Of the small backbones that are made here."""
    lower_case: bool | None = None
    """Whether a ``vocab.txt`` of its checkpoints is of lower-case words; None: they have none."""
    tokeniser_place: str = ""
    """Where a checkpoint without a tokeniser gets one."""
    entries: int | None = None
    """Of its published vocabulary, where that differs from the configuration's default."""

    @property
    def reads_pixels(self) -> bool:
        return self.sees in ("pixels", "states")
