"""Parts of a single-stream model beside its embedder and its encoder."""

from typing import cast

import torch
from torch import Tensor, nn
from transformers.models.bert.modeling_bert import BertCrossAttention, BertLayer

from reranksmart.models.single_stream_config import SingleStreamConfig


def squeeze(tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Real tokens moved to the front of each row in their order; as wide as the longest row."""
    longest = int(mask.sum(dim=1).max())
    if longest == mask.shape[1]:
        return tokens, mask
    order = mask.to(torch.int8).argsort(dim=1, descending=True, stable=True)[:, :longest]  # (B, L)
    return tokens.gather(1, order[..., None].expand(-1, -1, tokens.shape[2])), mask.gather(1, order)


def attention_mask(mask: Tensor) -> Tensor:
    """A mask (B, L) as attention takes it (B, 1, 1, L)."""
    return mask[:, None, None, :]


def first_token(layer: BertLayer, tokens: Tensor, attention_mask: Tensor) -> Tensor:
    """The layer's output (B, 1, H) for the first token alone, at the price of one query instead of L.

    BERT's cross-attention is its self-attention with the queries apart; both hold the same projections.
    """
    first = tokens[:, :1]
    attention = layer.attention
    query_apart = cast(BertCrossAttention, attention.self)
    context = BertCrossAttention.forward(query_apart, first, tokens, attention_mask)[0]
    return layer.feed_forward_chunk(attention.output(context, first))


def head_of(config: SingleStreamConfig) -> nn.Sequential:
    """Dropout, hidden layers with ReLU if any, and two logits."""
    layers: list[nn.Module] = [nn.Dropout(config.head_dropout)]
    width = config.hidden_size
    for next_width in config.head_widths:
        layers += [nn.Linear(width, next_width), nn.ReLU()]
        width = next_width
    return nn.Sequential(*layers, nn.Linear(width, 2))


def initialise_as_bert(module: nn.Module) -> None:
    """Weights from N(0, 0.02), biases and padding embeddings 0 (Devlin et al. 2019)."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
    if isinstance(module, nn.Embedding) and module.padding_idx is not None:
        with torch.no_grad():
            module.weight[module.padding_idx].zero_()
