"""Negatives mined with the model's own search: what it ranks high and the relevance denies (ANCE)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reranksmart.models.interface import BiEncoder
from reranksmart.ranking.encoding import encode_captions, encode_images
from reranksmart.ranking.search import build_index, search
from reranksmart.training.sampling import TrainingData, draw_random_negatives


@dataclass(frozen=True)
class MinedNegatives:
    """For each caption (N, M) image rows, for each image (images, M) caption rows, -1 where there are fewer."""

    images_of_caption: NDArray[np.int32]
    captions_of_image: NDArray[np.int32]


def mine(model: BiEncoder, data: TrainingData, *, depth: int) -> MinedNegatives:
    """The ``depth`` nearest items of every query minus all its relevant ones, at every refresh."""
    captions = encode_captions(model, data.tokens, data.captions.ids).vectors
    images = encode_images(model, data.regions).vectors
    return MinedNegatives(
        images_of_caption=_nearest_wrong(captions, images, data.relevant, depth),
        captions_of_image=_nearest_wrong(images, captions, data.relevant.T.tocsr(), depth),
    )


def _nearest_wrong(
    queries: NDArray[np.float32], gallery: NDArray[np.float32], relevant: object, depth: int
) -> NDArray[np.int32]:
    rows, _ = search(build_index(gallery), queries, depth=min(depth, len(gallery)))
    query_rows = np.repeat(np.arange(len(rows)), rows.shape[1])
    wrong = ~np.asarray(relevant[query_rows, rows.ravel()]).astype(bool).reshape(rows.shape)  # type: ignore[index]
    order = np.argsort(~wrong, axis=1, kind="stable")
    return np.take_along_axis(np.where(wrong, rows, -1), order, axis=1).astype(np.int32)


def draw_mined_negatives(
    data: TrainingData,
    rows: NDArray[np.int64],
    mined: MinedNegatives,
    rng: np.random.Generator,
    *,
    probability: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Random negatives, of which a share ``probability`` is replaced by mined ones (caption or image by the coin)."""
    caption_rows, image_rows = draw_random_negatives(data, rows, rng)
    keeps_caption = caption_rows == rows
    own = data.image_rows[rows]
    table = np.where(keeps_caption[:, None], mined.images_of_caption[rows], mined.captions_of_image[own])
    available = (table >= 0).sum(axis=1)
    position = (rng.random(len(rows)) * available).astype(np.int64)
    drawn = table[np.arange(len(rows)), position]
    replace = (rng.random(len(rows)) < probability) & (available > 0)
    image_rows = np.where(replace & keeps_caption, drawn, image_rows)
    caption_rows = np.where(replace & ~keeps_caption, drawn, caption_rows)
    return caption_rows, image_rows
