"""Captions and images to embeddings, each once, in batches of similar length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reranksmart.batches import EmbeddedRegions
from reranksmart.inputs import RegionInputs, TokenisedCaptions
from reranksmart.models.interface import BiEncoder
from reranksmart.models.single_stream import SingleStream
from reranksmart.progress import progress
from reranksmart.records import Embeddings


def length_batches(lengths: NDArray[np.integer], *, token_budget: int) -> Iterator[NDArray[np.int64]]:
    """Rows in order of length, cut so that rows x longest stays within ``token_budget`` (at least one row)."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and (stop + 1 - start) * lengths[order[stop]] <= token_budget:
            stop += 1
        yield order[start:stop]
        start = stop


@dataclass(frozen=True)
class EmbeddedImages:
    """Images whose regions were projected to one model's tokens once, to be read with many captions."""

    regions: EmbeddedRegions
    lengths: NDArray[np.int64]

    @staticmethod
    def of(model: SingleStream, inputs: RegionInputs) -> EmbeddedImages:
        """All images of ``inputs``, ready for ``model``."""
        rows = np.arange(len(inputs))
        with torch.inference_mode():
            parts = [
                (model.embed_regions(batch), batch.mask)
                for batch in (inputs.batch(part) for part in np.array_split(rows, max(1, len(rows) // 256)))
            ]
            width = int(inputs.lengths.max())
            tokens = torch.cat([nn.functional.pad(part, (0, 0, 0, width - part.shape[1])) for part, _ in parts])
            mask = torch.cat([nn.functional.pad(part, (0, width - part.shape[1])) for _, part in parts])
        return EmbeddedImages(EmbeddedRegions(tokens, mask), inputs.lengths)

    def __len__(self) -> int:
        return len(self.regions)

    def batch(self, rows: NDArray[np.integer]) -> EmbeddedRegions:
        return self.regions.take(torch.from_numpy(rows))


def encode_captions(
    model: BiEncoder, captions: TokenisedCaptions, ids: Sequence[str], *, token_budget: int = 8192
) -> Embeddings:
    """Unit vectors (N, D) of all captions, in the order of ``ids``."""
    return _encode(
        ids, captions.lengths, token_budget, lambda rows: model.encode_text(captions.batch(rows)), "captions"
    )


def encode_images(model: BiEncoder, regions: RegionInputs, *, token_budget: int = 8192) -> Embeddings:
    """Unit vectors (N, D) of all images of a region store, in its order."""
    ids = regions.store.image_ids
    return _encode(ids, regions.lengths, token_budget, lambda rows: model.encode_image(regions.batch(rows)), "images")


def _encode(
    ids: Sequence[str],
    lengths: NDArray[np.integer],
    token_budget: int,
    encode: Callable[[NDArray[np.int64]], Tensor],
    what: str,
) -> Embeddings:
    vectors: NDArray[np.float32] | None = None
    batches = list(length_batches(lengths, token_budget=token_budget))
    with torch.inference_mode():
        for rows in progress(batches, what=f"encode {what} (batches)", total=len(batches)):
            encoded = encode(rows).float().cpu().numpy()
            if vectors is None:
                vectors = np.empty((len(ids), encoded.shape[1]), dtype=np.float32)
            vectors[rows] = encoded
    if vectors is None:
        raise ValueError(f"there are no {what} to encode")
    return Embeddings(tuple(ids), vectors)
