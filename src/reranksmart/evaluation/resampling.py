"""Resampling of images: captions of one image are not independent, so an image is drawn with all its queries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def image_weights(images: int, *, resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """How often each image occurs in each bootstrap resample: (resamples, images), rows sum to ``images``."""
    drawn = rng.integers(images, size=(resamples, images))
    cells = drawn + np.arange(resamples)[:, None] * images
    return np.bincount(cells.ravel(), minlength=resamples * images).reshape(resamples, images).astype(np.float64)


def percentile_interval(resampled: NDArray[np.float64], *, confidence: float = 0.95) -> tuple[float, float]:
    """The central interval that holds ``confidence`` of the resampled values; bounds may be infinite."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail], method="inverted_cdf")
    return float(low), float(high)
