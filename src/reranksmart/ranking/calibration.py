"""How deep each query is re-ranked, and how both scores are joined: chosen on dev, for one direction at a time.

Cosines and log-odds (Q, K) are aligned, the retriever's best candidate first. A query's candidates are those whose cosine
lies within ``gap`` of its first one's; they are ordered by log-odds + ``weight`` x cosine. A query that the retriever
answers clearly costs no pair at all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

WEIGHTS = (0.0, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0)
GAPS = 60
"""How many gaps are tried, between none and all candidates, at equal steps of the candidates that they admit."""

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Calibration:
    """``weight``: log-odds a unit of cosine; ``gap``: cosine below the first candidate's up to which pairs are scored."""

    weight: float
    gap: float

    def depths(self, cosines: Scores) -> NDArray[np.intp]:
        """How many candidates of each query are re-ranked (Q,), at least 1."""
        return (cosines >= cosines[:, :1] - np.float32(self.gap)).sum(axis=1)

    def pairs(self, cosines: Scores) -> NDArray[np.intp]:
        """How many pairs each query costs (Q,): a single candidate needs no judgement."""
        depths = self.depths(cosines)
        return np.where(depths > 1, depths, 0)

    def scores(self, cosines: Scores, log_odds: Scores) -> Scores:
        """Scores (Q, K) for ``Ranking.rescored``: candidates beyond a query's depth stay below it, in their order."""
        fused = log_odds.astype(np.float64) + self.weight * cosines
        beyond = np.arange(cosines.shape[1]) >= self.depths(cosines)[:, None]
        lowest = np.where(beyond, np.inf, fused).min(axis=1, keepdims=True)
        below = lowest - 1 - (cosines[:, :1] - cosines).astype(np.float64)
        return np.where(beyond, below, fused).astype(np.float32)


def within_pairs(
    cosines: Scores, log_odds: Scores, relevant: NDArray[np.bool_], *, most_pairs: float | None = None
) -> Calibration:
    """The weight and gap with most queries right at the first place, at ``most_pairs`` a query in the mean or fewer.

    ``relevant`` (Q, K) marks the right candidates. Among equals the higher mean reciprocal rank wins, then fewer pairs.
    """
    allowed = [
        gap for gap in _gaps(cosines) if most_pairs is None or Calibration(0.0, gap).pairs(cosines).mean() <= most_pairs
    ]
    return _best(allowed, cosines, log_odds, relevant)


def _best(gaps: Iterable[float], cosines: Scores, log_odds: Scores, relevant: NDArray[np.bool_]) -> Calibration:
    def merit(chosen: Calibration) -> tuple[float, float, float]:
        ranks = _first_right(chosen, cosines, log_odds, relevant)
        return float((ranks == 1).mean()), float((1 / ranks).mean()), -float(chosen.pairs(cosines).mean())

    return max((Calibration(weight, gap) for gap in gaps for weight in WEIGHTS), key=merit)


def within_risk(
    cosines: Scores,
    log_odds: Scores,
    relevant: NDArray[np.bool_],
    image: NDArray[np.intp],
    *,
    risk: float,
    confidence: float,
) -> Calibration:
    """The smallest gap that loses at most a share ``risk`` of queries against full depth, with this ``confidence``.

    A query is lost where full depth puts a right item first and the gap does not. Gaps are tested from the widest down
    by exact binomial tests and the first that fails ends it (fixed-sequence testing; Angelopoulos et al. 2021, "Learn
    then Test"). Queries of one ``image`` (Q,) depend on each other, so an image counts once, as lost if any of its
    queries is. The weight is chosen at full depth on every other image, the gap is tested on the rest. Where even no loss among so few
    images proves the risk, all candidates are re-ranked.
    """
    tested = image % 2 == 1
    kept = _best([np.inf], cosines[~tested], log_odds[~tested], relevant[~tested])
    cosines, log_odds, relevant, image = (values[tested] for values in (cosines, log_odds, relevant, image))
    right = _first_right(kept, cosines, log_odds, relevant) == 1
    for gap in sorted(_gaps(cosines), reverse=True):
        narrower = Calibration(kept.weight, gap)
        lost = right & (_first_right(narrower, cosines, log_odds, relevant) != 1)
        if bdtr(len(np.unique(image[lost])), len(np.unique(image)), risk) > 1 - confidence:
            return kept
        kept = narrower
    return kept


def _gaps(cosines: Scores) -> Iterator[float]:
    """Gaps from 0 (the first candidate alone) to the widest (all of them)."""
    below = np.sort((cosines[:, :1] - cosines)[:, 1:].ravel())
    yield 0.0
    if len(below):
        # The first candidates matter most: as many gaps between 1 and 2 of them as between 10 and 20.
        shares = np.unique(np.geomspace(1, len(below), GAPS).round().astype(int)) - 1
        yield from np.unique(np.nextafter(below[shares], np.float32(np.inf))).astype(float).tolist()


def _first_right(
    chosen: Calibration, cosines: Scores, log_odds: Scores, relevant: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The rank of each query's first right candidate (Q,), from 1; infinite where none is right."""
    scores = np.where(relevant, chosen.scores(cosines, log_odds), -np.inf)
    best = scores.max(axis=1, keepdims=True)
    above = (chosen.scores(cosines, log_odds) > best).sum(axis=1)
    return np.where(relevant.any(axis=1), above + 1.0, np.inf)
