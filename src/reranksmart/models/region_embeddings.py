"""What the embedders of the single-stream families share.

An embedder turns inputs to tokens, all in which the families differ. It gives ``words`` (B, T, H), ``regions``
(B, R, H) and ``join``: both in the order, and with the last step, that the backbone was pretrained with.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from transformers.models.bert.modeling_bert import BertEmbeddings

from reranksmart.models.single_stream_config import SingleStreamConfig
from reranksmart.values.batches import box_geometry


class Embedder(nn.Module):
    """Turns the inputs of a pair to tokens; ``geometry`` names the columns of a box that it reads."""

    geometry: str
    image: nn.Linear
    """The layer that reads features first."""

    def words(self, token_ids: Tensor, segments: Tensor, mask: Tensor) -> Tensor:
        raise NotImplementedError

    def regions(self, features: Tensor, geometry: Tensor) -> Tensor:
        raise NotImplementedError

    def join(self, words: Tensor, word_mask: Tensor, regions: Tensor, region_mask: Tensor) -> tuple[Tensor, Tensor]:
        raise NotImplementedError


def positions_of(mask: Tensor) -> Tensor:
    """Position (B, T) of each real token among the real tokens of its row; padding never counts."""
    return (mask.cumsum(dim=1) - 1).clamp(min=0)


class TextFirst(Embedder):
    """What OSCAR and UNITER share: BERT's word embeddings, then the regions, which have no position."""

    def __init__(self, config: SingleStreamConfig) -> None:
        super().__init__()
        self.text = BertEmbeddings(config.bert())
        self.dropout = nn.Dropout(config.hidden_dropout)

    def words(self, token_ids: Tensor, segments: Tensor, mask: Tensor) -> Tensor:
        return self.text(token_ids, token_type_ids=segments, position_ids=positions_of(mask))  # (B, T, H)

    def join(self, words: Tensor, word_mask: Tensor, regions: Tensor, region_mask: Tensor) -> tuple[Tensor, Tensor]:
        return torch.cat([words, regions], dim=1), torch.cat([word_mask, region_mask], dim=1)


def region_inputs(features: Tensor, boxes: Tensor, *, columns: str, normalised: bool) -> tuple[Tensor, Tensor]:
    """Features (B, R, F) and geometry (B, R, G) as the first layer reads them, of unit length if ``normalised``."""
    geometry = box_geometry(boxes, columns)
    if normalised:
        return normalize(features, dim=-1), normalize(geometry, dim=-1)
    return features, geometry
