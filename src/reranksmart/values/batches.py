"""Padded tensors with masks, as models read them, and the geometry of boxes."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from reranksmart.values.padded import Padded


@dataclass(frozen=True)
class TextBatch(Padded):
    """Token ids (B, T) int64 and mask (B, T) bool, True = real. Special tokens are included."""

    token_ids: Tensor
    mask: Tensor


@dataclass(frozen=True)
class RegionBatch(Padded):
    """Region features (B, R, F) float32, boxes (B, R, 4) as x1 y1 x2 y2 in [0, 1], mask (B, R) bool.

    ``tags`` are the object tags of each image as tokens without special tokens, or None where tags are not used.
    """

    features: Tensor
    boxes: Tensor
    mask: Tensor
    tags: TextBatch | None = None


@dataclass(frozen=True)
class EmbeddedRegions(Padded):
    """Regions as one model's tokens (B, R, H) with mask (B, R) bool: computed once, read with many captions.

    They are input tokens, or states after the first ``layers`` layers read the image alone. Input tokens stand
    wherever that model takes a ``RegionBatch``, states where it scores pairs; ``tags`` as there.
    """

    tokens: Tensor
    mask: Tensor
    tags: TextBatch | None = None
    layers: int = 0

    def take(self, rows: Tensor) -> "EmbeddedRegions":
        """The images at these rows (P,), in this order, repeats allowed; no wider than the longest of them."""
        tags = TextBatch(self.tags.token_ids[rows], self.tags.mask[rows]) if self.tags is not None else None
        return EmbeddedRegions(*self._at(rows), tags, self.layers)


@dataclass(frozen=True)
class EmbeddedTexts(Padded):
    """Texts as one model's states (B, T, H) after its first ``layers`` layers read them alone, with mask (B, T) bool."""

    tokens: Tensor
    mask: Tensor
    layers: int

    def take(self, rows: Tensor) -> "EmbeddedTexts":
        """The texts at these rows (P,), in this order, repeats allowed; no wider than the longest of them."""
        return EmbeddedTexts(*self._at(rows), self.layers)


def pad_tokens(sequences: Sequence[Sequence[int]], *, pad_id: int = 0) -> TextBatch:
    """Token sequences of unequal length as one batch, padded on the right to the longest."""
    longest = max((len(sequence) for sequence in sequences), default=0)
    token_ids = torch.full((len(sequences), longest), pad_id, dtype=torch.int64)
    mask = torch.zeros((len(sequences), longest), dtype=torch.bool)
    for row, sequence in enumerate(sequences):
        token_ids[row, : len(sequence)] = torch.as_tensor(sequence, dtype=torch.int64)
        mask[row, : len(sequence)] = True
    return TextBatch(token_ids, mask)


def box_geometry(boxes: Tensor, columns: str) -> Tensor:
    """Boxes (..., 4) as x1 y1 x2 y2 in [0, 1] in the columns a backbone was trained on.

    ``columns`` names them in order out of x1, y1, x2, y2, w, h, area, separated by spaces:
    OSCAR reads ``x1 y1 x2 y2 w h``, UNITER ``x1 y1 x2 y2 w h area``, M3P ``x1 y1 x2 y2 area``.
    """
    x1, y1, x2, y2 = boxes.unbind(-1)
    width, height = x2 - x1, y2 - y1
    known = {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "w": width, "h": height, "area": width * height}
    return torch.stack([known[column] for column in columns.split()], dim=-1)
