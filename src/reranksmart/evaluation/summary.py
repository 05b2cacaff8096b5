"""Means over queries, with intervals over images: the long table of measures."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from reranksmart.evaluation import resampling
from reranksmart.values.recalls import RECALLS
from reranksmart.values.records import Direction

MEASURES = (*RECALLS, "MRR@10", "nDCG@10", "MAP@10")
EXPERIMENT_KEYS = ("backbone", "training_set", "system", "seed", "test_set", "language", "depth", "fusion")
MEASURE_COLUMNS = (
    *EXPERIMENT_KEYS,
    *("direction", "measure", "value", "low", "high", "queries", "images", "pairs_scored"),
)


def summarise(
    per_query: resampling.PerQuery,
    *,
    experiment: Mapping[str, object],
    pairs_scored: Mapping[Direction, int],
    rng: np.random.Generator,
    resamples: int = 1000,
) -> pd.DataFrame:
    """The rows of one experiment in the long table (``MEASURE_COLUMNS``).

    ``per_query`` comes from ``per_query_measures`` and ``with_images``. Values are means in percent, with the median
    rank beside them; given both directions also ``mR`` (mean of the six recalls) and ``rsum`` (their sum), under
    direction ``both``. Intervals of means are ``bounded_interval``'s, that of the median rank a bootstrap; both draw images
    that the directions share.
    """
    unknown = set(experiment) ^ set(EXPERIMENT_KEYS)
    if unknown:
        raise ValueError(f"experiment keys {sorted(unknown)} are missing or unknown; give {list(EXPERIMENT_KEYS)}")
    images = sorted(set().union(*(frame["image"] for frame in per_query.values())))
    drawn = resampling.image_weights(len(images), resamples=resamples, rng=rng)
    weights = resampling.bounded_weights(len(images), resamples=resamples, rng=rng)
    rows: list[dict[str, object]] = []
    recalls, parts = [], []
    for direction, frame in per_query.items():
        code = pd.Index(images).get_indexer(frame["image"])
        shared = {
            "direction": direction.value,
            "queries": len(frame),
            "images": frame["image"].nunique(),
            "pairs_scored": pairs_scored[direction],
        }
        rows += mean_rows(frame, MEASURES, code, weights, shared=shared)
        recalls += [frame[measure].to_numpy().mean() for measure in RECALLS]
        parts += [resampling.sums_of_images(frame[measure].to_numpy(), code, len(images)) for measure in RECALLS]
        ranks = frame["rank"].to_numpy()
        low, high = resampling.percentile_interval(_resampled_medians(ranks, code, drawn))
        rows.append({**shared, "measure": "median rank", "value": _median(ranks), "low": low, "high": high})
    if len(per_query) == len(Direction):
        shared = {
            "direction": "both",
            "queries": sum(len(frame) for frame in per_query.values()),
            "images": len(images),
            "pairs_scored": sum(pairs_scored[direction] for direction in per_query),
        }
        interval = resampling.bounded_interval(parts, weights)
        rows.append(mean_row(shared, "mR", sum(recalls) / len(recalls), interval))
        rows.append(mean_row(shared, "rsum", sum(recalls) / len(recalls), interval, scale=100 * len(recalls)))
    return pd.DataFrame([{**experiment, **row} for row in rows], columns=list(MEASURE_COLUMNS))


def mean_rows(
    frame: pd.DataFrame,
    measures: Sequence[str],
    code: NDArray[np.intp],
    weights: NDArray[np.float64],
    *,
    shared: Mapping[str, object],
) -> list[dict[str, object]]:
    """The row of each measure's mean, with ``bounded_interval`` by these ``weights`` of images, which ``code`` (Q,) numbers."""
    found = ((measure, frame[measure].to_numpy()) for measure in measures)
    return [
        mean_row(
            shared,
            measure,
            values.mean(),
            resampling.bounded_interval([resampling.sums_of_images(values, code, weights.shape[1] - 1)], weights),
        )
        for measure, values in found
    ]


def mean_row(
    shared: Mapping[str, object], measure: str, mean: float, interval: tuple[float, float], *, scale: float = 100
) -> dict[str, object]:
    """The row of a mean in 0..1 with its interval, brought to ``scale``."""
    low, high = interval
    return {**shared, "measure": measure, "value": float(scale * mean), "low": scale * low, "high": scale * high}


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
