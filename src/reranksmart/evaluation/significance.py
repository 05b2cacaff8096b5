"""Is one system better than another, or was it luck: paired tests over images, and means over seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import permutation_test

from reranksmart.evaluation.resampling import image_weights, percentile_interval
from reranksmart.values.recalls import RECALLS
from reranksmart.values.records import Direction

PerQuery = Mapping[Direction, pd.DataFrame]


@dataclass(frozen=True)
class Comparison:
    """How far system a lies above system b, in points (percent), and how likely that is by luck."""

    measure: str
    direction: str
    difference: float
    low: float
    high: float
    p_value: float
    queries: int
    images: int


def compare(
    per_query_a: PerQuery,
    per_query_b: PerQuery,
    *,
    measure: str,
    direction: Direction | None,
    rng: np.random.Generator,
    draws: int = 10_000,
    resamples: int = 1000,
    confidence: float = 0.95,
) -> Comparison:
    """System a against system b on the same queries.

    ``measure`` is a column of the per-query frames in one ``direction``, or ``mR`` or ``rsum`` with direction None.
    The two-sided p-value is of a paired permutation test that swaps the systems for all queries of an image at once
    (exact where 2^images <= ``draws``); the interval of the difference is a bootstrap over images. The frames carry
    the column ``image``. Raises ValueError where the systems answered different queries.
    """
    parts = _parts(measure, direction)
    for part, _, _ in parts:
        _require_same_queries(per_query_a, per_query_b, part)
    frames = [per_query_a[part] for part in dict.fromkeys(part for part, _, _ in parts)]
    images = sorted(set().union(*(frame["image"] for frame in frames)))
    weights = image_weights(len(images), resamples=resamples, rng=rng)
    shares = np.zeros(len(images))  # what each image adds to the difference
    resampled = np.zeros(resamples)
    for part, column, factor in parts:
        frame = per_query_a[part]
        if column not in frame:
            raise ValueError(
                f"measure {column!r} is not known; there are {[*frame.columns.drop('image')]}, mR and rsum"
            )
        code = pd.Index(images).get_indexer(frame["image"])
        gained = 100 * factor * (frame[column] - per_query_b[part].loc[frame.index, column]).to_numpy()
        sums = np.bincount(code, weights=gained, minlength=len(images))
        shares += sums / len(frame)
        resampled += (weights @ sums) / (weights @ np.bincount(code, minlength=len(images)))
    low, high = percentile_interval(resampled, confidence=confidence)
    return Comparison(
        measure=measure,
        direction="both" if direction is None else direction.value,
        difference=float(shares.sum()),
        low=low,
        high=high,
        p_value=_sign_flip_p_value(shares, draws=draws, rng=rng),
        queries=sum(len(frame) for frame in frames),
        images=len(images),
    )


def _parts(measure: str, direction: Direction | None) -> list[tuple[Direction, str, float]]:
    """The (direction, column, factor) whose means add up to the measure."""
    if direction is not None:
        if measure in ("mR", "rsum", "rank"):
            raise ValueError(
                f"{measure!r} is no mean over the queries of one direction; mR and rsum take direction None"
            )
        return [(direction, measure, 1.0)]
    if measure not in ("mR", "rsum"):
        raise ValueError(f"measure {measure!r} needs a direction; only mR and rsum join both")
    factor = 1.0 if measure == "rsum" else 1 / (len(RECALLS) * len(Direction))
    return [(part, column, factor) for part in Direction for column in RECALLS]


def _require_same_queries(per_query_a: PerQuery, per_query_b: PerQuery, direction: Direction) -> None:
    for name, per_query in (("a", per_query_a), ("b", per_query_b)):
        if direction not in per_query:
            raise ValueError(f"system {name} has no {direction} queries; measure that direction first")
    a, b = per_query_a[direction], per_query_b[direction]
    different = set(a.index) ^ set(b.index)
    if different:
        raise ValueError(
            f"a paired test needs the same queries; {len(different)} {direction} queries were answered by one system "
            f"only, the first is {min(different)!r}"
        )


def _sign_flip_p_value(shares: NDArray[np.float64], *, draws: int, rng: np.random.Generator) -> float:
    differing = shares[shares != 0]  # a sign changes nothing where nothing differs
    if len(differing) < 2:  # one image alone: the flipped sign is as far from zero
        return 1.0
    test = permutation_test(
        (differing,),
        lambda sample, axis: np.sum(sample, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=draws,
        batch=max(1, 4_000_000 // len(differing)),
        alternative="two-sided",
        rng=rng,
    )
    return float(min(test.pvalue, 1.0))


def aggregate_seeds(measures: pd.DataFrame) -> pd.DataFrame:
    """The long table with one row where it had one for each seed: the mean ``value``, ``sd`` and number of ``seeds``.

    ``sd`` is the sample standard deviation, missing for one seed. One seed keeps its interval over images; the mean
    of several has none.
    """
    own = ["seed", "value", "low", "high", "queries", "images", "pairs_scored"]
    keys = [name for name in measures.columns if name not in own]
    repeated = measures.duplicated([*keys, "seed"])
    if repeated.any():
        raise ValueError(f"the table has two rows for {measures.loc[repeated, [*keys, 'seed']].iloc[0].to_dict()}")
    groups = measures.groupby(keys, sort=False, dropna=False)
    table = groups.agg(
        value=("value", "mean"),
        sd=("value", "std"),
        seeds=("seed", "nunique"),
        low=("low", "first"),
        high=("high", "first"),
        queries=("queries", "first"),
        images=("images", "first"),
        pairs_scored=("pairs_scored", "first"),
    ).reset_index()
    table.loc[table["seeds"] > 1, ["low", "high"]] = np.nan
    return table
