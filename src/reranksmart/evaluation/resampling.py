"""Resampling of images: captions of one image are not independent, so an image is drawn with all its queries."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reranksmart.values.records import Direction

_TAIL = (1 - 0.95) / 2  # of an interval, on each side
PerQuery = Mapping[Direction, pd.DataFrame]
"""By direction, the values of each query (index ``query``), and its ``image``."""
Sums = tuple[NDArray[Any], NDArray[Any]]
"""What the queries of each image (images,) earned, in 0..1 a query, and how many they are."""


def image_weights(images: int, *, resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """How often each image occurs in each bootstrap resample: (resamples, images), rows sum to ``images``."""
    drawn = rng.integers(images, size=(resamples, images))
    cells = drawn + np.arange(resamples)[:, None] * images
    return np.bincount(cells.ravel(), minlength=resamples * images).reshape(resamples, images).astype(np.float64)


def percentile_interval(resampled: NDArray[np.float64]) -> tuple[float, float]:
    """The central interval that holds 95 % of the resampled values; bounds may be infinite."""
    low, high = np.quantile(resampled, [_TAIL, 1 - _TAIL], method="inverted_cdf")
    return float(low), float(high)


def bounded_weights(images: int, *, resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Weights of ``bounded_interval``: (resamples, images + 1), Dirichlet but for their sum."""
    return rng.standard_exponential((resamples, images + 1))


def bounded_interval(parts: Sequence[Sums], weights: NDArray[np.float64]) -> tuple[float, float]:
    """The interval, in 0..1, of the mean over ``parts`` of what a query of each earns.

    The images are weighted at random, and with them one more that earns nothing (for the lower bound) or all (for the
    upper one), as many queries as an image has on average: Gaffke's bounds of a bounded mean (Gaffke 2005; Learned-Miller
    and Thomas 2019). They promise at least 95 % of few images and near the ends of the scale, where a bootstrap
    of what was seen covers too little. For one query an image, right or wrong, they are Clopper and Pearson's.
    """
    own, further = weights[:, :-1], weights[:, -1]
    lows, highs = np.zeros(len(weights)), np.zeros(len(weights))
    for sums, counts in parts:
        one_more = further * (counts.sum() / np.count_nonzero(counts))
        earned, counted = own @ sums, own @ counts + one_more
        lows += earned / counted
        highs += (earned + one_more) / counted
    low = np.quantile(lows / len(parts), _TAIL, method="inverted_cdf")
    return float(low), float(np.quantile(highs / len(parts), 1 - _TAIL, method="inverted_cdf"))


def sums_of_images(values: NDArray[np.float64], code: NDArray[np.intp], images: int) -> Sums:
    """``values`` (Q,) of queries summed over each image, which ``code`` (Q,) numbers, and the queries counted."""
    ones = np.ones(len(values))
    return np.bincount(code, values, minlength=images), np.bincount(code, ones, minlength=images)
