"""Means over queries, with intervals from a bootstrap over images: the long table of measures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from reranksmart.evaluation.per_query import PerQuery
from reranksmart.evaluation.resampling import image_weights, percentile_interval
from reranksmart.values.records import Direction

MEASURES = ("R@1", "R@5", "R@10", "MRR@10", "nDCG@10", "MAP@10")
RECALLS = ("R@1", "R@5", "R@10")
EXPERIMENT_KEYS = ("backbone", "training_set", "system", "seed", "test_set", "language", "depth", "fusion")
MEASURE_COLUMNS = (
    *EXPERIMENT_KEYS,
    *("direction", "measure", "value", "low", "high", "queries", "images", "pairs_scored"),
)


def summarise(
    per_query: PerQuery,
    *,
    experiment: Mapping[str, object],
    pairs_scored: Mapping[Direction, int],
    rng: np.random.Generator,
    resamples: int = 1000,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """The rows of one experiment in the long table (``MEASURE_COLUMNS``).

    ``per_query`` comes from ``per_query_measures`` and ``with_images``. Values are means in percent, with the median
    rank beside them; given both directions also ``mR`` (mean of the six recalls) and ``rsum`` (their sum), under
    direction ``both``. Intervals come from a bootstrap over images that both directions share.
    """
    unknown = set(experiment) ^ set(EXPERIMENT_KEYS)
    if unknown:
        raise ValueError(f"experiment keys {sorted(unknown)} are missing or unknown; give {list(EXPERIMENT_KEYS)}")
    images = sorted(set().union(*(frame["image"] for frame in per_query.values())))
    weights = image_weights(len(images), resamples=resamples, rng=rng)
    rows: list[dict[str, object]] = []
    recalls, resampled_recalls = [], []
    for direction, frame in per_query.items():
        code = pd.Index(images).get_indexer(frame["image"])
        shared = {
            "direction": direction.value,
            "queries": len(frame),
            "images": frame["image"].nunique(),
            "pairs_scored": pairs_scored[direction],
        }
        for measure in MEASURES:
            mean, resampled = percentages(frame[measure].to_numpy(), code, weights)
            rows.append(summary_row(shared, measure, mean, resampled, confidence))
            if measure in RECALLS:
                recalls.append(mean)
                resampled_recalls.append(resampled)
        ranks = frame["rank"].to_numpy()
        rows.append(
            summary_row(shared, "median rank", _median(ranks), _resampled_medians(ranks, code, weights), confidence)
        )
    if len(per_query) == len(Direction):
        shared = {
            "direction": "both",
            "queries": sum(len(frame) for frame in per_query.values()),
            "images": len(images),
            "pairs_scored": sum(pairs_scored[direction] for direction in per_query),
        }
        resampled = np.sum(resampled_recalls, axis=0)
        rows.append(summary_row(shared, "mR", sum(recalls) / len(recalls), resampled / len(recalls), confidence))
        rows.append(summary_row(shared, "rsum", sum(recalls), resampled, confidence))
    return pd.DataFrame([{**experiment, **row} for row in rows], columns=list(MEASURE_COLUMNS))


def summary_row(
    shared: Mapping[str, object], measure: str, value: float, resampled: NDArray[np.float64], confidence: float
) -> dict[str, object]:
    low, high = percentile_interval(resampled, confidence=confidence)
    return {**shared, "measure": measure, "value": float(value), "low": low, "high": high}


def percentages(
    values: NDArray[np.float64], code: NDArray[np.intp], weights: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """The mean of the queries' values in percent, and that of each resample of images.

    ``code`` (Q,) is the image of each query, ``weights`` (resamples, images) come from ``image_weights``.
    """
    images = weights.shape[1]
    counted = weights @ np.bincount(code, minlength=images)  # (resamples,) queries in each resample
    sums = np.bincount(code, weights=values, minlength=images)
    return 100 * values.mean(), 100 * (weights @ sums) / counted


def _median(ranks: NDArray[np.float64]) -> float:
    middle = np.sort(ranks)[[(len(ranks) - 1) // 2, len(ranks) // 2]]
    return float(middle.mean())


def _resampled_medians(
    ranks: NDArray[np.float64], code: NDArray[np.intp], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The median rank of each resample: the middle of its queries, or the mean of the two middle ones."""
    values, place = np.unique(ranks, return_inverse=True)
    shape = (weights.shape[1], len(values))
    histogram = sparse.coo_array((np.ones(len(ranks)), (code, place)), shape=shape).tocsr()
    below = np.cumsum(weights @ histogram, axis=1)  # (resamples, V): queries ranked up to each value
    total = below[:, -1:]
    lower, upper = (np.argmax(below >= middle, axis=1) for middle in (np.ceil(total / 2), np.floor(total / 2) + 1))
    return (values[lower] + values[upper]) / 2
