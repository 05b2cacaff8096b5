"""When to say that nothing here matches: learned on dev, for one direction at a time.

Each dev query asks twice: with its right items among the candidates, and without them, as of a gallery that lacks them.
What counts is its best candidate's score (Q,): the reranker's log-odds, or the cosine where nothing re-ranks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit

ABSENCE_FILE = "absence.json"
"""Of each language and direction an ``Absence``."""

Scores = NDArray[np.float32]


def best_scores(scores: Scores, relevant: NDArray[np.bool_]) -> tuple[Scores, Scores, NDArray[np.bool_]]:
    """The best score of each query's candidates (Q, K) with and without its right ones, and whether the best is right.

    Of queries that have a wrong candidate: of the others nothing would be left.
    """
    asked = ~relevant.all(axis=1)
    scores, relevant = scores[asked], relevant[asked]
    if not len(scores):
        raise ValueError("every candidate is right, so that none is left without the right ones; re-rank deeper")
    right = np.take_along_axis(relevant, scores.argmax(axis=1)[:, None], axis=1)[:, 0]
    return scores.max(axis=1), np.where(relevant, -np.inf, scores).max(axis=1), right


@dataclass(frozen=True)
class Absence:
    """``slope`` and ``intercept`` turn a best score into a probability; ``found`` are dev's of things that are there."""

    slope: float
    intercept: float
    found: tuple[float, ...]

    def probability(self, best: Scores) -> NDArray[np.float64]:
        """That the best candidate is right, where every other question is about something that is not there."""
        return np.asarray(expit(self.slope * np.asarray(best, np.float64) + self.intercept))

    def nothing_matches(self, best: Scores, *, false_alarms: float) -> NDArray[np.bool_]:
        """Whether so few of dev's things that are there score as low that this is said of ``false_alarms`` of them at most.

        A share in expectation, for queries like dev's, whatever the scores are (split conformal prediction; Vovk et al.
        2005). A larger gallery raises best scores, so that the share falls, and fewer absent things are noticed.
        """
        as_low = np.searchsorted(np.sort(self.found), np.asarray(best, np.float64), side="right")
        return np.asarray((1 + as_low) / (1 + len(self.found)) <= false_alarms)


def learn_absence(scores: Scores, relevant: NDArray[np.bool_]) -> Absence:
    """What dev's scores (Q, K) teach: logistic regression of whether the best is right, with Platt's smoothed targets."""
    from scipy.optimize import minimize  # which a search, that only asks, need not wait for

    there, gone, right = best_scores(scores, relevant)
    best = np.concatenate([there, gone]).astype(np.float64)
    label = np.concatenate([right, np.zeros(len(gone), dtype=bool)])
    target = np.where(label, (label.sum() + 1) / (label.sum() + 2), 1 / ((~label).sum() + 2))
    middle, width = best.mean(), best.std() or 1.0

    def loss(weights: NDArray[np.float64]) -> float:
        logits = weights[0] * (best - middle) / width + weights[1]
        return float(-(target * log_expit(logits) + (1 - target) * log_expit(-logits)).mean())

    slope, intercept = minimize(loss, np.zeros(2)).x
    slope /= width
    return Absence(float(slope), float(intercept - slope * middle), tuple(np.sort(there.astype(np.float64)).tolist()))
