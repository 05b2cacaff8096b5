"""Mined negatives judged by the cross-encoder: what it finds nearly as true as the query's own pair is no negative.

Positive-aware filtering (NV-Retriever; Moreira et al. 2024) with the reranker as the judge.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from reranksmart.models.interface import CrossEncoder
from reranksmart.ranking.encoding import captions_for_pairs, images_for_pairs
from reranksmart.ranking.reranking import score_pairs
from reranksmart.training.hard_negatives import MinedNegatives
from reranksmart.training.sampling import TrainingData

Probabilities = NDArray[np.float64]


def judge(model: CrossEncoder, data: TrainingData, mined: MinedNegatives) -> tuple[Probabilities, Probabilities]:
    """The match probability of every mined negative over that of the query's own pair, in the tables' shapes: (N, M) of
    captions, (images, M) of images, whose own is the mean over their captions. Infinite where there is no item."""
    texts, seen = captions_for_pairs(model, data.tokens), images_for_pairs(model, data.regions)

    def probability(captions: NDArray[np.integer], images: NDArray[np.integer]) -> Probabilities:
        return np.asarray(expit(score_pairs(model, texts, seen, captions, images, quiet=True).astype(np.float64)))

    own = probability(np.arange(len(data)), data.image_rows)
    counts = np.bincount(data.image_rows, minlength=len(data.regions))
    of_images = np.bincount(data.image_rows, own, minlength=len(data.regions)) / np.maximum(counts, 1)
    found = []
    for table, of_query, is_caption in (
        (mined.images_of_caption, own, True),
        (mined.captions_of_image, of_images, False),
    ):
        queries, places = np.nonzero(table >= 0)
        items = table[queries, places]
        ratio = np.full(table.shape, np.inf)
        pair = (queries, items) if is_caption else (items, queries)
        ratio[queries, places] = probability(*pair) / np.maximum(of_query[queries], np.finfo(np.float64).tiny)
        found.append(ratio)
    return found[0], found[1]


def without_false(
    mined: MinedNegatives, ratios: tuple[Probabilities, Probabilities], *, below: float
) -> MinedNegatives:
    """The mined negatives whose ratio is under ``below``, in their order, -1 after them."""
    images, image_cosines = _kept(mined.images_of_caption, mined.image_cosines, ratios[0] < below)
    captions, caption_cosines = _kept(mined.captions_of_image, mined.caption_cosines, ratios[1] < below)
    return MinedNegatives(images, captions, image_cosines, caption_cosines)


def _kept(
    table: NDArray[np.int32], cosines: NDArray[np.float32], kept: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    order = np.argsort(~kept, axis=1, kind="stable")
    left = np.take_along_axis(np.where(kept, table, -1), order, axis=1).astype(np.int32)
    return left, np.take_along_axis(cosines, order, axis=1)


def hidden_labels(data: TrainingData, share: float, rng: np.random.Generator) -> tuple[TrainingData, NDArray[np.bool_]]:
    """The data with the labels of a share of its captions hidden, and which (N,): of such a caption nothing is known to be
    true. Of each image the first caption stays known."""
    first = np.unique(data.image_rows, return_index=True)[1]
    hidden = rng.random(len(data)) < share
    hidden[first] = False
    relevant = data.relevant.tolil()
    relevant[np.flatnonzero(hidden)] = False
    return replace(data, relevant=relevant.tocsr()), hidden


def count_hidden(whole: TrainingData, mined: MinedNegatives, left: MinedNegatives) -> dict[str, int]:
    """Of the captions mined for images how many are true, their label being hidden, and how many are wrong, and how many of
    each are left out. ``whole`` knows all labels. Of captions that ask nothing is counted: one whose label is hidden has
    no pair of its own to be held against."""
    queries, places = np.nonzero(mined.captions_of_image >= 0)
    items = mined.captions_of_image[queries, places]
    true = whole.is_relevant(items, queries)
    out = ~(left.captions_of_image[queries] == items[:, None]).any(axis=1)
    return {
        "hidden": int(true.sum()),
        "hidden left out": int((true & out).sum()),
        "true negatives": int((~true).sum()),
        "true negatives left out": int((~true & out).sum()),
    }
