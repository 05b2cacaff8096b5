"""Which captions and images form a batch: a pure function of seed, task and step, so resuming needs no state."""

import sys
import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from reranksmart.inputs.stored import CaptionInputs, StoredImages
from reranksmart.values.records import Captions, Relevance


def generator_of(seed: int, purpose: str, *counters: int) -> np.random.Generator:
    """The generator of one purpose at one count: the same numbers whatever was drawn before."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), *counters])


@lru_cache(maxsize=4)
def _permutation(size: int, seed: int, purpose: str, epoch: int) -> NDArray[np.int64]:
    return generator_of(seed, purpose, epoch).permutation(size)


def fitting_batch(batch_size: int, size: int) -> int:
    """The batch size, or all ``size`` captions where a training set has fewer, which stderr is told."""
    if batch_size > size:
        print(
            f"batch_size {batch_size} exceeds the {size} captions of the training set: each batch holds all of them",
            file=sys.stderr,
        )
    return min(batch_size, size)


def epoch_rows(size: int, batch_size: int, *, seed: int, purpose: str, step: int) -> NDArray[np.int64]:
    """The rows of batch ``step``: every row once an epoch in a new order each; a short last batch is dropped.

    ``batch_size`` is at most ``size``, as ``fitting_batch`` makes it.
    """
    epoch, position = divmod(step, size // batch_size)
    return _permutation(size, seed, purpose, epoch)[position * batch_size : (position + 1) * batch_size]


@dataclass(frozen=True)
class TrainingData:
    """Captions and images of a training or dev set, and which caption is true of which image."""

    captions: Captions
    tokens: CaptionInputs
    regions: StoredImages
    image_rows: NDArray[np.int64]  # (N,) the row of each caption's image
    relevant: csr_array  # (N, images) bool

    @staticmethod
    def of(captions: Captions, tokens: CaptionInputs, regions: StoredImages, relevance: Relevance) -> "TrainingData":
        """KeyError where a caption's image is not in the store; relevance outside these captions and images is dropped."""
        image_rows = regions.store.rows_of(captions.image_ids)
        caption_row = {id_: row for row, id_ in enumerate(captions.ids)}
        image_row = regions.store.row_by_id
        pairs = [
            (caption_row[caption_id], image_row[image_id])
            for caption_id, image_id in zip(relevance.caption_ids, relevance.image_ids, strict=True)
            if caption_id in caption_row and image_id in image_row
        ]
        pairs += [(row, int(image)) for row, image in enumerate(image_rows)]
        rows, columns = np.array(pairs).T
        shape = (len(captions), len(regions))
        relevant = csr_array((np.ones(len(pairs), dtype=bool), (rows, columns)), shape=shape)
        return TrainingData(captions, tokens, regions, image_rows, relevant)

    def __len__(self) -> int:
        return len(self.captions)

    def require_negatives(self) -> None:
        """ValueError where a caption is true of every image, or an image has every caption: it has no negative."""
        captions, images = self.relevant.shape
        for what, ids, others, count in (
            ("caption", self.captions.ids, images, self.relevant.sum(axis=1)),
            ("image", self.regions.store.image_ids, captions, self.relevant.sum(axis=0)),
        ):
            if len(without := np.flatnonzero(np.asarray(count) == others)):
                raise ValueError(
                    f"{what} {ids[without[0]]!r} of the training set belongs to all {others} "
                    f"{'images' if what == 'caption' else 'captions'}, and {len(without) - 1} more do, so that no pair "
                    "with it is wrong; give captions of more images, or leave it out"
                )

    def relevance_mask(self, caption_rows: NDArray[np.integer], image_rows: NDArray[np.integer]) -> NDArray[np.bool_]:
        """(B, B) True where caption i is true of image j."""
        return self.relevant[caption_rows][:, image_rows].toarray()

    def is_relevant(self, caption_rows: NDArray[np.integer], image_rows: NDArray[np.integer]) -> NDArray[np.bool_]:
        """(P,) True where caption p is true of image p."""
        return np.asarray(self.relevant[caption_rows, image_rows]).ravel().astype(bool)


def draw_random_negatives(
    data: TrainingData, rows: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One negative (caption row, image row) for the positive pair of each caption in ``rows``, O(1) each.

    A caption drawn uniformly among those not true of the own image; a fair coin keeps the own caption with the
    drawn caption's image, or the drawn caption with the own image.
    """
    keep_caption = rng.random(len(rows)) < 0.5
    drawn = rng.integers(len(data), size=len(rows))
    own = data.image_rows[rows]
    while True:
        caption_rows = np.where(keep_caption, rows, drawn)
        image_rows = np.where(keep_caption, data.image_rows[drawn], own)
        clash = data.is_relevant(caption_rows, image_rows)
        if not clash.any():
            return caption_rows, image_rows
        drawn[clash] = rng.integers(len(data), size=int(clash.sum()))
