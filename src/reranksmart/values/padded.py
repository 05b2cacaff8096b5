"""What every batch of tensors has: B texts or images, padded to the longest, and a mask."""

from dataclasses import replace
from typing import Any, Self

import torch
from torch import Tensor


class Padded:
    """For dataclasses whose first field holds the values (B, N, ...); in ``mask`` (B, N) bool, True = real."""

    mask: Tensor

    def __post_init__(self) -> None:
        shape = self._values.shape[:2]
        if self.mask.dtype != torch.bool or self.mask.ndim != 2 or self.mask.shape != shape:
            raise ValueError(
                f"{type(self).__name__} needs a bool mask of shape {tuple(shape)}, got {self.mask.dtype} "
                f"{tuple(self.mask.shape)}; build it with the store that holds the texts or images"
            )

    def __len__(self) -> int:
        return len(self._values)

    def to(self, device: torch.device | str) -> Self:
        moved = {name: part.to(device) for name, part in vars(self).items() if isinstance(part, Tensor | Padded)}
        own: Any = self
        return replace(own, **moved)

    def _at(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Values and mask of these rows (P,), no wider than the longest of them."""
        mask = self.mask[rows]
        width = int(mask.sum(dim=1).max()) if len(mask) else 0
        return self._values[rows, :width], mask[:, :width]

    @property
    def _values(self) -> Tensor:
        return next(iter(vars(self).values()))
