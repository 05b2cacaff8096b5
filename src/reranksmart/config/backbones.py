"""Transformers before fine-tuning."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reranksmart.config.values import Count, Frozen, Language


class Pretraining(Frozen):
    """How the small backbone is made: word-region alignment, then attention whose keys equal its queries."""

    steps: Count = 600
    batch_size: Count = 64
    learning_rate: float = Field(3e-3, gt=0)
    temperature: float = Field(0.1, gt=0)
    keys_equal_queries: bool = Field(True, description="start attention with like attending to like")


class Backbone(Frozen):
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
