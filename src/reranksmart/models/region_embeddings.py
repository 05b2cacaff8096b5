"""Inputs to tokens: the only place where the backbones differ.

Each embedder gives ``words`` (B, T, H), ``regions`` (B, R, H) and ``join``: both in the order, and with the last step,
that the backbone was pretrained with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from transformers import BertConfig
from transformers.models.bert.modeling_bert import BertEmbeddings

from reranksmart.values.batches import box_geometry


@dataclass(frozen=True)
class SingleStreamConfig:
    """Sizes and constants of a single-stream model; the defaults are the base size of every published backbone."""

    embedder: Literal["oscar", "uniter", "m3p"]
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
        if self.embedder not in EMBEDDERS:
            raise ValueError(f"embedder {self.embedder!r} is unknown; choose one of {sorted(EMBEDDERS)}")
        if self.hidden_size % self.heads:
            raise ValueError(f"hidden_size {self.hidden_size} is no multiple of heads {self.heads}; change one of them")

        if not 0 <= self.cached_layers < self.layers:
            raise ValueError(
                f"cached_layers is {self.cached_layers}; of {self.layers} layers at most {self.layers - 1} can read text "
                "and image apart, since the last must read the pair. Lower it."
            )
        if self.cached_layers and self.embedder == "m3p":
            raise ValueError(
                "M3P numbers a caption's tokens after the image's regions, so that no layer can read it apart from its "
                "image; cached_layers needs oscar or uniter. Set it to 0."
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


def _positions(mask: Tensor) -> Tensor:
    """Position (B, T) of each real token among the real tokens of its row; padding never counts."""
    return (mask.cumsum(dim=1) - 1).clamp(min=0)


class TextFirst(nn.Module):
    """What OSCAR and UNITER share: BERT's word embeddings, then the regions, which have no position."""

    def __init__(self, config: SingleStreamConfig) -> None:
        super().__init__()
        self.text = BertEmbeddings(config.bert())
        self.dropout = nn.Dropout(config.hidden_dropout)

    def words(self, token_ids: Tensor, segments: Tensor, mask: Tensor) -> Tensor:
        return self.text(token_ids, token_type_ids=segments, position_ids=_positions(mask))  # (B, T, H)

    def join(self, words: Tensor, word_mask: Tensor, regions: Tensor, region_mask: Tensor) -> tuple[Tensor, Tensor]:
        return torch.cat([words, regions], dim=1), torch.cat([word_mask, region_mask], dim=1)


class OscarEmbedder(TextFirst):
    """OSCAR (Li et al. 2020): features and geometry concatenated into one linear layer."""

    geometry = "x1 y1 x2 y2 w h"

    def __init__(self, config: SingleStreamConfig) -> None:
        super().__init__(config)
        eps = config.image_layer_norm_eps
        self.image = nn.Linear(config.feature_size + 6, config.hidden_size)
        self.image_norm = nn.Identity() if eps is None else nn.LayerNorm(config.hidden_size, eps=eps)

    def regions(self, features: Tensor, geometry: Tensor) -> Tensor:
        return self.dropout(self.image_norm(self.image(torch.cat([features, geometry], dim=-1))))  # (B, R, H)


class UniterEmbedder(TextFirst):
    """UNITER (Chen et al. 2020) and VILLA: features and geometry each projected and normalised, plus segment 1."""

    geometry = "x1 y1 x2 y2 w h area"

    def __init__(self, config: SingleStreamConfig) -> None:
        super().__init__(config)
        size, eps = config.hidden_size, config.layer_norm_eps
        self.image, self.image_norm = nn.Linear(config.feature_size, size), nn.LayerNorm(size, eps=eps)
        self.location, self.location_norm = nn.Linear(7, size), nn.LayerNorm(size, eps=eps)
        self.norm = nn.LayerNorm(size, eps=eps)

    def regions(self, features: Tensor, geometry: Tensor) -> Tensor:
        parts = self.image_norm(self.image(features)) + self.location_norm(self.location(geometry))
        return self.dropout(self.norm(parts + self.text.token_type_embeddings.weight[1]))  # (B, R, H)


class M3PEmbedder(nn.Module):
    """M3P (Ni et al. 2021): regions first, then text; positions run over both, and count real tokens only."""

    geometry = "x1 y1 x2 y2 area"

    def __init__(self, config: SingleStreamConfig) -> None:
        super().__init__()
        size, eps = config.hidden_size, config.layer_norm_eps
        self.word = nn.Embedding(config.vocab_size, size, padding_idx=config.pad_id)
        self.position = nn.Embedding(config.max_positions, size)
        self.image, self.location = nn.Linear(config.feature_size, size), nn.Linear(5, size)
        self.image_norm, self.norm = nn.LayerNorm(size, eps=eps), nn.LayerNorm(size, eps=eps)
        self.dropout = nn.Dropout(config.hidden_dropout)

    def words(self, token_ids: Tensor, segments: Tensor, mask: Tensor) -> Tensor:
        return self.word(token_ids)  # (B, T, H)

    def regions(self, features: Tensor, geometry: Tensor) -> Tensor:
        return self.dropout(self.image_norm(self.image(features) + self.location(geometry)))  # (B, R, H)

    def join(self, words: Tensor, word_mask: Tensor, regions: Tensor, region_mask: Tensor) -> tuple[Tensor, Tensor]:
        tokens, mask = torch.cat([regions, words], dim=1), torch.cat([region_mask, word_mask], dim=1)
        return self.dropout(self.norm(tokens + self.position(_positions(mask)))), mask


Embedder = OscarEmbedder | UniterEmbedder | M3PEmbedder
EMBEDDERS: dict[str, type[Embedder]] = {"oscar": OscarEmbedder, "uniter": UniterEmbedder, "m3p": M3PEmbedder}


def region_inputs(features: Tensor, boxes: Tensor, *, columns: str, normalised: bool) -> tuple[Tensor, Tensor]:
    """Features (B, R, F) and geometry (B, R, G) as the first layer reads them, of unit length if ``normalised``."""
    geometry = box_geometry(boxes, columns)
    if normalised:
        return normalize(features, dim=-1), normalize(geometry, dim=-1)
    return features, geometry
