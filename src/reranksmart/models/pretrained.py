"""What the backbones of ``transformers`` share: one network, its settings, and how texts reach it."""

import json
from collections.abc import Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, pad
from transformers import PretrainedConfig as NetworkConfig
from transformers import PreTrainedModel

from reranksmart.models.of_family import OfFamily
from reranksmart.values.batches import RegionBatch, TextBatch


@dataclass(frozen=True)
class PretrainedConfig:
    """What a model's folder says beside its weights: enough to build the same network again, empty."""

    family: str
    network: dict[str, Any] = field(repr=False)
    """The configuration of the ``transformers`` class, as its ``to_dict``."""
    pad_id: int
    score: str = "log_odds"
    """How a pair is scored; see the families."""


class Pretrained(OfFamily, nn.Module):
    """A ``transformers`` network behind the protocols of ``interface``.

    Fresh weights are drawn from ``seed`` and leave the global generator as it was; inputs are moved to the device.
    """

    network: Any
    network_class: ClassVar[type[PreTrainedModel]]
    towers: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Starts of the network's names of what reads an image alone and a text alone, where parts of it do."""
    reads_end: ClassVar[bool] = False
    """Whether a text's vector is the state of its end token, found by ``eos_token_id``."""
    counts_padding: ClassVar[bool] = False
    """Whether positions are counted by which ids are ``pad_token_id``."""
    heads: ClassVar[tuple[str, ...]] = ()
    """Starts of the network's names of what turns its states into embeddings and scores."""
    fresh: ClassVar[tuple[str, ...]] = ()
    """Starts of the network's names of tensors that a checkpoint may lack: heads that fine-tuning makes."""
    unused: ClassVar[tuple[str, ...]] = ()
    """Starts of the network's names of tensors of a checkpoint that this project does not read: other heads."""

    def __init__(self, config: PretrainedConfig, *, seed: int = 0, network: PreTrainedModel | None = None) -> None:
        super().__init__()
        if config.score not in self.facts.scores:
            raise ValueError(f"{config.family} has no score {config.score!r}; choose one of {list(self.facts.scores)}")
        self.config = config
        if network is None:
            settings = self.network_class.config_class.from_dict(dict(config.network))  # type: ignore[union-attr]
            with seeded(seed):
                network = self.network_class(settings)
        self.network = network

    def open_readers(self, folder: Path) -> Any:
        """The model with what its folder holds for preparing inputs, where it prepares them itself."""
        return self

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @property
    def patch(self) -> int:
        """The side of a patch in pixels, for families that read pixels."""
        settings = self.network.config
        return getattr(settings, "vision_config", settings).patch_size

    @property
    def positions(self) -> int:
        """The longest text in tokens, special tokens included."""
        settings = self.network.config
        return getattr(settings, "text_config", settings).max_position_embeddings

    def texts_on_device(self, texts: TextBatch) -> TextBatch:
        """The texts with padding ids where the mask is False; ValueError where they are longer than the positions."""
        if texts.token_ids.shape[1] > self.positions:
            longest = int(texts.mask.sum(dim=1).max())
            if longest > self.positions:
                raise ValueError(
                    f"a text has {longest} tokens, {self.config.family} reads {self.positions}, special tokens "
                    "included; lower max_tokens of this backbone"
                )
            texts = TextBatch(texts.token_ids[:, : self.positions], texts.mask[:, : self.positions])
        texts = texts.to(self.device)
        return TextBatch(texts.token_ids.masked_fill(~texts.mask, self.config.pad_id), texts.mask)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random weights inside are drawn from ``seed``; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def settings_of(network: NetworkConfig) -> dict[str, Any]:
    """All settings of a network as JSON holds them, but for where they were read and by which version."""
    settings = json.loads(network.to_json_string(use_diff=False))
    return {key: value for key, value in settings.items() if key not in ("_name_or_path", "transformers_version")}


def padded_to(texts: TextBatch, width: int, *, pad_id: int) -> Tensor:
    """Token ids (B, width), padded on the right."""
    return pad(texts.token_ids, (0, width - texts.token_ids.shape[1]), value=pad_id)


def unit_rows(vectors: Tensor) -> Tensor:
    """Vectors (B, D) float32 of length 1."""
    return normalize(vectors.float(), dim=-1)


def require_pairs(texts: Sized, images: Sized) -> None:
    """ValueError unless there is one image for each text."""
    if len(texts) != len(images):
        raise ValueError(f"{len(texts)} texts for {len(images)} images; pairs need one of each. Repeat the shorter.")


def require_features(regions: RegionBatch, size: int, *, family: str) -> None:
    """ValueError unless the regions' features have the width that the network reads."""
    if regions.features.shape[2] != size:
        raise ValueError(
            f"{family} reads region features of {size} values, these have {regions.features.shape[2]}; extract the "
            "regions with the detector of its pretraining (detector: vg has 2048)"
        )


def in_float32(head: nn.Module, states: Tensor) -> Tensor:
    """What a head of the network makes of states, float32 under autocast too: scores and embeddings keep their digits."""
    with torch.autocast(states.device.type, enabled=False):
        return head(states.to(next(head.parameters()).dtype)).float()


def log_odds(logits: Tensor) -> Tensor:
    """Log-odds (B,) float32 of column 1 against column 0 of logits (B, 2)."""
    return (logits[:, 1] - logits[:, 0]).float()
