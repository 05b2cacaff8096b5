"""Texts and pictures as they are, for models whose library prepares them itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL.Image import Image
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from reranksmart.values.padded import Padded


@dataclass(frozen=True)
class Texts:
    """Captions (B,), word for word."""

    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True)
class Pictures:
    """Pictures (B,), upright, in red, green and blue; ``rows`` (B,) are equal where pictures are the same one."""

    pictures: tuple[Image, ...]
    rows: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.pictures)


@dataclass(frozen=True)
class TokenVectors(Padded):
    """Vectors (B, T, D) of the tokens of texts or pictures and their mask (B, T) bool, True = real."""

    vectors: Tensor
    mask: Tensor

    @staticmethod
    def of(parts: Sequence[Tensor]) -> "TokenVectors":
        """The vectors (T, D) of each, padded to the longest."""
        lengths = torch.tensor([len(part) for part in parts])
        mask = torch.arange(int(lengths.max())) < lengths[:, None]
        return TokenVectors(pad_sequence(list(parts), batch_first=True), mask.to(parts[0].device))
