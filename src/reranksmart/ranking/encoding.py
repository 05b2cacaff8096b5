"""Captions and images to embeddings, each once, in batches of similar length."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reranksmart.inputs.images import PixelInputs
from reranksmart.inputs.stored import (
    CaptionInputs,
    ImageInputs,
    RegionInputs,
    StoredImages,
    TokenisedCaptions,
    lengths_with_tags,
)
from reranksmart.models.interface import BiEncoder, CrossEncoder, StatesEncoder, VectorsEncoder
from reranksmart.models.single_stream import SingleStream
from reranksmart.ranking.token_vectors import StoredVectors, padded
from reranksmart.ranking.vision_encoding import bytes_of_states, states_in_memory
from reranksmart.run.progress import progress
from reranksmart.values.batches import EmbeddedRegions, EmbeddedTexts
from reranksmart.values.ragged import Ragged, offsets_of
from reranksmart.values.records import Embeddings
from reranksmart.values.shards import WHOLE, Shard, Share, joined

Batch = TypeVar("Batch")


def length_batches(lengths: NDArray[np.integer], *, token_budget: int) -> Iterator[NDArray[np.int64]]:
    """Rows in order of length, cut so that rows x longest stays within ``token_budget`` (at least one row)."""
    order = np.argsort(lengths, kind="stable")
    ordered = np.asarray(lengths)[order]
    start = 0
    while start < len(order):
        # rows x longest grows with the number of rows: the first that breaks the budget is found by bisection
        size = bisect_right(range(1, len(order) - start + 1), token_budget, key=lambda n: n * ordered[start + n - 1])
        stop = start + max(size, 1)
        yield order[start:stop]
        start = stop


def read_ahead(
    batches: Iterable[NDArray[np.int64]], read: Callable[[NDArray[np.int64]], Batch]
) -> Iterator[tuple[NDArray[np.int64], Batch]]:
    """Each batch's rows with what ``read`` gives for them; the next batch is read while one is computed."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting: tuple[NDArray[np.int64], Future[Batch]] | None = None
        for rows in batches:
            ready, waiting = waiting, (rows, pool.submit(read, rows))
            if ready is not None:
                yield ready[0], ready[1].result()
        if waiting is not None:
            yield waiting[0], waiting[1].result()


@dataclass(frozen=True)
class _Embedded(Ragged):
    """States (sum T, H) after a model's first ``layers`` layers, which are computed once."""

    states: Tensor
    layers: int

    per_row: ClassVar[tuple[str, ...]] = ("states",)

    def keep(self, rows: NDArray[np.int64], read: EmbeddedTexts | EmbeddedRegions) -> None:
        """Puts what was read of the things at ``rows`` in their place."""
        columns, mask = self.columns(rows)
        self.states[torch.from_numpy(columns[mask])] = read.tokens[read.mask]


@dataclass(frozen=True)
class EmbeddedImages(_Embedded):
    """Images as one model's pair reading takes them, to be read with many captions."""

    tags: TokenisedCaptions | None = None

    @staticmethod
    def of(model: SingleStream, inputs: RegionInputs, *, token_budget: int = 8192) -> "EmbeddedImages":
        """All images of ``inputs``, ready for ``model``."""
        offsets = offsets_of(inputs.region_counts)
        states = torch.empty(int(offsets[-1]), model.config.hidden_size, device=model.device, dtype=model.dtype)
        embedded = EmbeddedImages(offsets, states, model.config.cached_layers, inputs.tags)
        with torch.inference_mode():
            for rows, batch in read_ahead(length_batches(inputs.lengths, token_budget=token_budget), inputs.batch):
                embedded.keep(rows, model.cache_regions(batch))
        return embedded

    @property
    def lengths(self) -> NDArray[np.int64]:
        return lengths_with_tags(super().lengths, self.tags)

    def batch(self, rows: NDArray[np.integer]) -> EmbeddedRegions:
        tags = None if self.tags is None else self.tags.batch(rows)
        return EmbeddedRegions(*padded(self, self.states, rows), tags, self.layers)


def images_for_pairs(model: CrossEncoder, inputs: StoredImages, *, most_bytes: int = 2**29) -> ImageInputs:
    """Images as the pair reading takes them with least work, unless that holds more than ``most_bytes``: then as they
    are stored, to be read from disk and prepared with each pair (1 % of a base model's work for regions)."""
    if isinstance(model, SingleStream) and isinstance(inputs, RegionInputs):
        needed = int(inputs.region_counts.sum()) * model.config.hidden_size * model.dtype.itemsize
        return EmbeddedImages.of(model, inputs) if needed <= most_bytes else inputs
    if isinstance(model, VectorsEncoder):
        return StoredVectors.of(inputs, model.image_vectors, what="images")
    if isinstance(model, StatesEncoder) and isinstance(inputs, PixelInputs):
        return states_in_memory(model, inputs) if bytes_of_states(model, inputs) <= most_bytes else inputs
    return inputs


@dataclass(frozen=True)
class EmbeddedCaptions(_Embedded):
    """Captions as states after one model's cached layers."""

    @staticmethod
    def of(model: SingleStream, captions: TokenisedCaptions, *, token_budget: int = 8192) -> "EmbeddedCaptions":
        """All captions, each read once by the layers that read it alone."""
        states = torch.empty(
            int(captions.offsets[-1]), model.config.hidden_size, device=model.device, dtype=model.dtype
        )
        embedded = EmbeddedCaptions(captions.offsets, states, model.config.cached_layers)
        with torch.inference_mode():
            for rows in length_batches(captions.lengths, token_budget=token_budget):
                embedded.keep(rows, model.cache_texts(captions.batch(rows)))
        return embedded

    def batch(self, rows: NDArray[np.integer]) -> EmbeddedTexts:
        return EmbeddedTexts(*padded(self, self.states, rows), self.layers)


def captions_for_pairs(model: CrossEncoder, captions: CaptionInputs) -> CaptionInputs:
    """Captions as the model's pair reading takes them with least work: their states where it has cached layers."""
    if isinstance(model, VectorsEncoder):
        return StoredVectors.of(captions, model.text_vectors, what="captions")
    if isinstance(model, SingleStream) and model.config.cached_layers and isinstance(captions, TokenisedCaptions):
        return EmbeddedCaptions.of(model, captions)
    return captions


def encode_captions(
    model: BiEncoder, captions: CaptionInputs, ids: Sequence[str], *, token_budget: int = 8192
) -> Embeddings:
    """Unit vectors (N, D) of all captions, in the order of ``ids``."""
    return Embeddings(tuple(ids), joined([share_of_captions(model, captions, token_budget=token_budget)]))


def encode_images(model: BiEncoder, images: StoredImages, *, token_budget: int = 8192) -> Embeddings:
    """Unit vectors (N, D) of all images of a store, in its order."""
    return Embeddings(images.store.image_ids, joined([share_of_images(model, images, token_budget=token_budget)]))


def share_of_captions(
    model: BiEncoder, captions: CaptionInputs, *, shard: Shard = WHOLE, token_budget: int = 8192
) -> Share:
    """Unit vectors (n, D) of one job's captions."""
    return _encode(captions.lengths, token_budget, captions.batch, model.encode_text, shard, "captions")


def share_of_images(model: BiEncoder, images: StoredImages, *, shard: Shard = WHOLE, token_budget: int = 8192) -> Share:
    """Unit vectors (n, D) of one job's images."""
    return _encode(images.lengths, token_budget, images.batch, model.encode_image, shard, "images")


def _encode(
    lengths: NDArray[np.integer],
    token_budget: int,
    read: Callable[[NDArray[np.int64]], Batch],
    encode: Callable[[Batch], Tensor],
    shard: Shard,
    what: str,
) -> Share:
    if not len(lengths):
        raise ValueError(f"there are no {what} to encode")
    batches = shard.of(list(length_batches(lengths, token_budget=token_budget)))
    vectors = []
    with torch.inference_mode():
        for _, batch in progress(read_ahead(batches, read), what=f"encode {what} (batches)", total=len(batches)):
            vectors.append(encode(batch).float().cpu().numpy())
    return Share.of_batches(batches, vectors, total=len(lengths))
