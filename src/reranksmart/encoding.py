"""Captions and images to embeddings, each once, in batches of similar length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reranksmart.batches import EmbeddedRegions, EmbeddedTexts
from reranksmart.inputs import RegionInputs, TokenisedCaptions, ragged_columns
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
    """Images as one model's pair reading takes them, computed once, to be read with many captions."""

    regions: EmbeddedRegions
    lengths: NDArray[np.int64]

    @staticmethod
    def of(model: SingleStream, inputs: RegionInputs) -> EmbeddedImages:
        """All images of ``inputs``, ready for ``model``."""
        rows = np.arange(len(inputs))
        with torch.inference_mode():
            parts = [model.cache_regions(inputs.batch(part)) for part in np.array_split(rows, max(1, len(rows) // 256))]
            width = max(part.tokens.shape[1] for part in parts)
            tokens = torch.cat([nn.functional.pad(p.tokens, (0, 0, 0, width - p.tokens.shape[1])) for p in parts])
            mask = torch.cat([nn.functional.pad(p.mask, (0, width - p.mask.shape[1])) for p in parts])
        tags = inputs.tags.batch(rows) if inputs.tags else None
        return EmbeddedImages(EmbeddedRegions(tokens, mask, tags, model.config.cached_layers), inputs.lengths)

    def __len__(self) -> int:
        return len(self.regions)

    def batch(self, rows: NDArray[np.integer]) -> EmbeddedRegions:
        return self.regions.take(torch.from_numpy(rows))


@dataclass(frozen=True)
class EmbeddedCaptions:
    """Captions as states after one model's cached layers: caption n owns ``states[offsets[n]:offsets[n + 1]]``."""

    states: Tensor
    offsets: NDArray[np.int64]
    layers: int

    @staticmethod
    def of(model: SingleStream, captions: TokenisedCaptions, *, token_budget: int = 8192) -> EmbeddedCaptions:
        """All captions, each read once by the layers that read it alone."""
        states = torch.empty(int(captions.offsets[-1]), model.config.hidden_size, device=model.device)
        with torch.inference_mode():
            for rows in length_batches(captions.lengths, token_budget=token_budget):
                read = model.cache_texts(captions.batch(rows))
                columns, mask = ragged_columns(captions.offsets, rows)
                states[torch.from_numpy(columns[mask])] = read.tokens[read.mask]
        return EmbeddedCaptions(states, captions.offsets, model.config.cached_layers)

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.offsets)

    def batch(self, rows: NDArray[np.integer]) -> EmbeddedTexts:
        columns, mask = ragged_columns(self.offsets, np.asarray(rows))
        return EmbeddedTexts(self.states[torch.from_numpy(columns)], torch.from_numpy(mask), self.layers)


def captions_for_pairs(model: SingleStream, captions: TokenisedCaptions) -> TokenisedCaptions | EmbeddedCaptions:
    """Captions as the model's pair reading takes them with least work: their states where it has cached layers."""
    return EmbeddedCaptions.of(model, captions) if model.config.cached_layers else captions


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
