"""Negatives mined with the model's own search: what it ranks high and the relevance denies (ANCE)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reranksmart.models.interface import BiEncoder
from reranksmart.ranking.encoding import encode_captions, encode_images
from reranksmart.ranking.gpu_index import to_device
from reranksmart.ranking.search import build_index, search
from reranksmart.training.sampling import TrainingData, draw_random_negatives


@dataclass(frozen=True)
class MinedNegatives:
    """For each caption (N, M) image rows, for each image (images, M) caption rows, -1 where there are fewer.

    ``image_cosines`` and ``caption_cosines`` are theirs.
    """

    images_of_caption: NDArray[np.int32]
    captions_of_image: NDArray[np.int32]
    image_cosines: NDArray[np.float32]
    caption_cosines: NDArray[np.float32]


def mine(model: BiEncoder, data: TrainingData, *, depth: int) -> MinedNegatives:
    """The ``depth`` nearest items of every query minus all its relevant ones, at every refresh."""
    captions = encode_captions(model, data.tokens, data.captions.ids).vectors
    images = encode_images(model, data.regions).vectors
    of_captions, of_images = (
        _nearest_wrong(captions, images, data.relevant, depth),
        _nearest_wrong(images, captions, data.relevant.T.tocsr(), depth),
    )
    return MinedNegatives(of_captions[0], of_images[0], of_captions[1], of_images[1])


def _nearest_wrong(
    queries: NDArray[np.float32], gallery: NDArray[np.float32], relevant: object, depth: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    rows, cosines = search(to_device(build_index(gallery)), queries, depth=min(depth, len(gallery)))
    query_rows = np.repeat(np.arange(len(rows)), rows.shape[1])
    wrong = ~np.asarray(relevant[query_rows, rows.ravel()]).astype(bool).reshape(rows.shape)  # type: ignore[index]
    order = np.argsort(~wrong, axis=1, kind="stable")
    found = np.take_along_axis(np.where(wrong, rows, -1), order, axis=1).astype(np.int32)
    lacking = ((0, 0), (0, depth - rows.shape[1]))  # of a small gallery
    return np.pad(found, lacking, constant_values=-1), np.pad(np.take_along_axis(cosines, order, axis=1), lacking)


def draw_mined_negatives(
    data: TrainingData,
    rows: NDArray[np.int64],
    mined: MinedNegatives,
    rng: np.random.Generator,
    *,
    probability: float,
    softmax: bool = False,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Random negatives, of which a share ``probability`` is replaced by mined ones (caption or image by the coin).

    Mined ones are drawn evenly, or by the ``softmax`` of their cosines.
    """
    caption_rows, image_rows = draw_random_negatives(data, rows, rng)
    keeps_caption = caption_rows == rows
    own = data.image_rows[rows]
    table = np.where(keeps_caption[:, None], mined.images_of_caption[rows], mined.captions_of_image[own])
    available = (table >= 0).sum(axis=1)
    if softmax:
        cosines = np.where(keeps_caption[:, None], mined.image_cosines[rows], mined.caption_cosines[own])
        drawn = draw_by_softmax(table, cosines, rng, count=1)[:, 0]
    else:
        position = (rng.random(len(rows)) * available).astype(np.int64)
        drawn = table[np.arange(len(rows)), position]
    replace = (rng.random(len(rows)) < probability) & (available > 0)
    image_rows = np.where(replace & keeps_caption, drawn, image_rows)
    caption_rows = np.where(replace & ~keeps_caption, drawn, caption_rows)
    return caption_rows, image_rows


def softmax_of(table: NDArray[np.int32], cosines: NDArray[np.float32]) -> NDArray[np.float64]:
    """The probabilities (B, M) of mined items: the softmax of their cosines at temperature 1, none where there is no item."""
    weights = np.where(table >= 0, np.exp(cosines.astype(np.float64)), 0.0)
    return np.asarray(weights / np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny))


def draw_by_softmax(
    table: NDArray[np.int32], cosines: NDArray[np.float32], rng: np.random.Generator, *, count: int
) -> NDArray[np.int32]:
    """``count`` different items (B, count) of each row (B, M) of mined ones, as often as ``softmax_of`` says; -1 where a row
    has fewer (the Gumbel trick of a draw without replacement)."""
    with np.errstate(divide="ignore"):
        keys = np.log(softmax_of(table, cosines)) + rng.gumbel(size=table.shape)
    order = np.argsort(-keys, axis=1)[:, :count]
    return np.take_along_axis(table, order, axis=1)
