"""Is one system better than another, or was it luck: paired tests over images, and means over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import permutation_test

from reranksmart.evaluation.resampling import PerQuery, image_weights, percentile_interval
from reranksmart.values.recalls import RECALLS
from reranksmart.values.records import Direction


@dataclass(frozen=True)
class PairedTest:
    """How far system a lies above system b, in points (percent), in the mean over seeds, and how likely that is by luck."""

    measure: str
    direction: str
    difference: float
    low: float
    high: float
    p_value: float
    queries: int
    images: int
    seeds: int
    seeds_of_sign: int
    """In how many seeds the difference has the sign of the mean."""


def compare(
    runs: Sequence[tuple[PerQuery, PerQuery]],
    *,
    measure: str,
    direction: Direction | None,
    rng: np.random.Generator,
    draws: int = 10_000,
    resamples: int = 1000,
) -> PairedTest:
    """System a against system b on the same queries; ``runs`` holds what both answered, a pair for each seed.

    ``measure`` is a column of the per-query frames in one ``direction``, or ``mR`` or ``rsum`` with direction None. The
    frames carry the column ``image``. Raises ValueError where the systems answered different queries.

    **One seed.** The two-sided p-value is of a paired permutation test that swaps the systems for all queries of an image
    at once (exact where 2^images <= ``draws``); the interval is a bootstrap over images. Both are about these two trained
    models, and say nothing of how another seed would come out.

    **Several seeds.** A hierarchical bootstrap, whose interval and two-sided p-value are about another seed and other
    images. Images are drawn with all their queries and all seeds, as every seed answers the same ones. Seeds are too few
    to be drawn: three have ten different resamples, and all agree in sign by luck once in four. Their part of the error is
    therefore drawn from Student's t with seeds - 1 degrees of freedom, scaled by the standard error of the mean over seeds.
    Where seeds agree this is the bootstrap over images, where they alone differ it is the t-test over seeds; what image and
    seed do together counts in both parts, which errs on the careful side. A permutation test that swaps whole seeds would
    be exact, but with three seeds its p-value is never below 0.25.
    """
    shares, resampled, queries, images = _differences(runs, measure, direction, resamples=resamples, rng=rng)
    of_seeds = shares.sum(axis=1)
    difference = float(of_seeds.mean())
    if len(runs) > 1:
        error = of_seeds.std(ddof=1) / np.sqrt(len(runs))
        drawn = rng.choice(resampled, size=draws) + error * rng.standard_t(len(runs) - 1, size=draws)
        p_value = _share_beyond_zero(drawn)
        low, high = percentile_interval(drawn)
    else:
        p_value = _sign_flip_p_value(shares[0], draws=draws, rng=rng)
        low, high = percentile_interval(resampled)
    return PairedTest(
        measure=measure,
        direction="both" if direction is None else direction.value,
        difference=difference,
        low=low,
        high=high,
        p_value=p_value,
        queries=queries,
        images=images,
        seeds=len(runs),
        seeds_of_sign=int((np.sign(of_seeds) == np.sign(difference)).sum()),
    )


def compare_r_at_1_and_mr(
    runs: Sequence[tuple[PerQuery, PerQuery]], *, seed: int, draws: int, resamples: int
) -> list[PairedTest]:
    """``compare`` by R@1 in each direction and by mR, each drawn anew by ``seed``."""
    asked = (("R@1", Direction.TEXT_TO_IMAGE), ("R@1", Direction.IMAGE_TO_TEXT), ("mR", None))
    return [
        compare(runs, measure=name, direction=way, rng=np.random.default_rng(seed), draws=draws, resamples=resamples)
        for name, way in asked
    ]


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted for all of them (Holm 1979): below a level, all claims below it hold together at that level."""
    adjusted = np.zeros(len(p_values))
    worst = 0.0
    for rank, place in enumerate(np.argsort(p_values, kind="stable")):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = worst
    return adjusted.tolist()


def _differences(
    runs: Sequence[tuple[PerQuery, PerQuery]],
    measure: str,
    direction: Direction | None,
    *,
    resamples: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64], int, int]:
    """What each image adds to the difference in each run (S, I), the mean over runs of each resample (R,), and the numbers
    of queries and images."""
    parts = _parts(measure, direction)
    asked = list(dict.fromkeys(part for part, _, _ in parts))
    first = runs[0][0]
    for per_query in (found for run in runs for found in run):
        for part in asked:
            _require_same_queries(first, per_query, part)
    images = sorted(set().union(*(first[part]["image"] for part in asked)))
    weights = image_weights(len(images), resamples=resamples, rng=rng)
    shares = np.zeros((len(runs), len(images)))
    resampled = np.zeros(resamples)
    for part, column, factor in parts:
        frame = first[part]
        if column not in frame:
            raise ValueError(
                f"measure {column!r} is not known; there are {[*frame.columns.drop('image')]}, mR and rsum"
            )
        code = pd.Index(images).get_indexer(frame["image"])
        counts = weights @ np.bincount(code, minlength=len(images))
        for seed, (a, b) in enumerate(runs):
            gained = 100 * factor * (a[part].loc[frame.index, column] - b[part].loc[frame.index, column]).to_numpy()
            sums = np.bincount(code, weights=gained, minlength=len(images))
            shares[seed] += sums / len(frame)
            resampled += (weights @ sums) / counts / len(runs)
    return shares, resampled, sum(len(first[part]) for part in asked), len(images)


def _share_beyond_zero(drawn: NDArray[np.float64]) -> float:
    """Two-sided: twice the share of draws on the rarer side of zero, counting one more so that none is certain."""
    rarer = min((drawn <= 0).sum(), (drawn >= 0).sum())
    return float(min(1.0, 2 * (1 + rarer) / (1 + len(drawn))))


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
    """The long table with one row where it had one for each seed: the means of ``value`` and ``pairs_scored``, ``sd`` and number of ``seeds``.

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
        pairs_scored=("pairs_scored", "mean"),
    ).reset_index()
    table.loc[table["seeds"] > 1, ["low", "high"]] = np.nan
    return table
