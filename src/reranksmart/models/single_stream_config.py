"""The shape of a single-stream model, and what shapes a model can have."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import BertConfig

from reranksmart.files.reading import reading


@dataclass(frozen=True)
class SingleStreamConfig:
    """Sizes and constants of a single-stream model; the defaults are the base size of every published backbone."""

    embedder: str
    """The family."""
    vocab_size: int
    cls_id: int
    sep_id: int
    pad_id: int
    hidden_size: int = 768
    layers: int = 12
    heads: int = 12
    intermediate_size: int = 3072
    max_positions: int = 512
    feature_size: int = 2048
    hidden_dropout: float = 0.1
    attention_dropout: float = 0.1
    head_dropout: float = 0.1
    layer_norm_eps: float = 1e-12
    image_layer_norm_eps: float | None = None
    """OSCAR: epsilon of a LayerNorm on the regions, None for no LayerNorm."""
    head_widths: tuple[int, ...] = ()
    """Widths of the head's hidden layers, each followed by a ReLU; () is one linear layer."""
    normalise_inputs: bool = False
    """Regions enter with features and geometry each of unit length, as the published M3P was pretrained."""
    cached_layers: int = 0
    """First layers of the pair reading that read text and image apart, so that their states can be stored."""

    def __post_init__(self) -> None:
        if self.hidden_size % self.heads:
            raise ValueError(f"hidden_size {self.hidden_size} is no multiple of heads {self.heads}; change one of them")
        if not 0 <= self.cached_layers < self.layers:
            raise ValueError(
                f"cached_layers is {self.cached_layers}; of {self.layers} layers at most {self.layers - 1} can read text "
                "and image apart, since the last must read the pair. Lower it."
            )

    def bert(self) -> BertConfig:
        """The same as the configuration of ``transformers``' BERT."""
        bert = BertConfig(
            vocab_size=self.vocab_size,
            hidden_size=self.hidden_size,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            intermediate_size=self.intermediate_size,
            max_position_embeddings=self.max_positions,
            type_vocab_size=2,
            hidden_act="gelu",
            hidden_dropout_prob=self.hidden_dropout,
            attention_probs_dropout_prob=self.attention_dropout,
            layer_norm_eps=self.layer_norm_eps,
            pad_token_id=self.pad_id,
        )
        bert._attn_implementation = "sdpa"
        return bert


_SIZES = ("vocab_size", "hidden_size", "layers", "heads", "intermediate_size", "max_positions", "feature_size")
_MOST_PARAMETERS = 4_000_000_000


def settings_read(settings: dict[str, Any], path: Path) -> SingleStreamConfig:
    """The shape that a model's file says; ValueError with its ``path`` where keys are unknown or lack."""
    known = [field.name for field in dataclasses.fields(SingleStreamConfig)]
    if unknown := sorted(set(settings) - set(known)):
        raise ValueError(f"{path}: unknown keys {unknown}; known are {known}. Train the model again.")
    try:
        return SingleStreamConfig(**{**settings, "head_widths": tuple(settings["head_widths"])})
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}; it needs the keys {known}. Train the model again.") from error


def require_possible(config: SingleStreamConfig, *, source: Path) -> None:
    """ValueError naming ``source`` where the shape is none that a model can have."""
    with reading(source, remedy="Restore it from where the weights came from, or train the model again."):
        sizes = {name: getattr(config, name) for name in _SIZES}
        wrong = {name: size for name, size in sizes.items() if type(size) is not int or not 0 < size < 10_000_000}
        if wrong or not all(type(width) is int and 0 < width < 10_000_000 for width in config.head_widths):
            raise ValueError(f"no model has the sizes {wrong or config.head_widths}; they are positive whole numbers")
        width, inner = config.hidden_size, config.intermediate_size
        if (
            config.vocab_size + config.max_positions + config.feature_size + config.layers * (4 * width + 2 * inner)
        ) * width > _MOST_PARAMETERS:
            raise ValueError(f"a model of the sizes {sizes} has more than {_MOST_PARAMETERS:,} parameters")
