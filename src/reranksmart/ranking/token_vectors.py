"""Vectors of every token of captions and images, made once each, for late interaction."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reranksmart.inputs.stored import CaptionInputs, ImageInputs
from reranksmart.run.progress import progress
from reranksmart.values.ragged import Ragged, offsets_of
from reranksmart.values.raw import TokenVectors


def padded(kept: Ragged, values: Tensor, rows: NDArray[np.integer]) -> tuple[Tensor, Tensor]:
    """The values (B, L, D) of these things, padded to the longest, and their mask (B, L), on the values' device."""
    columns, mask = kept.columns(rows)
    return values[torch.from_numpy(columns)], torch.from_numpy(mask).to(values.device)


@dataclass(frozen=True)
class StoredVectors(Ragged):
    """Token vectors (sum T, D) of captions or images."""

    vectors: Tensor

    per_row: ClassVar[tuple[str, ...]] = ("vectors",)

    @staticmethod
    def of(
        inputs: CaptionInputs | ImageInputs, encode: Callable[[Any], TokenVectors], *, what: str, together: int = 16
    ) -> "StoredVectors":
        """What ``encode`` makes of all captions or images, ``together`` at a time."""
        parts: list[Tensor] = []
        starts = range(0, len(inputs.lengths), together)
        with torch.inference_mode():
            for start in progress(starts, what=f"token vectors of {what} (batches)", total=len(starts)):
                rows = np.arange(start, min(start + together, len(inputs.lengths)))
                found = encode(inputs.batch(rows))
                parts += [vectors[mask] for vectors, mask in zip(found.vectors, found.mask, strict=True)]
        return StoredVectors(offsets_of([len(part) for part in parts]), torch.cat(parts))

    @property
    def bytes_per_image(self) -> float:
        """What the vectors of one image take, on average."""
        return self.vectors.nbytes / len(self)

    def batch(self, rows: NDArray[np.integer]) -> TokenVectors:
        return TokenVectors(*padded(self, self.vectors, rows))
