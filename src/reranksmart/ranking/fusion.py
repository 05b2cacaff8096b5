"""Scores of retriever and reranker made into one. Every function takes both as (Q, k), aligned, for the same items.

``retriever`` holds cosines, ``reranker`` log-odds of a match; what comes back is (Q, k) float32, larger is better,
for ``Ranking.rescored``. A weight ``w`` is the retriever's share, in 0..1 (Geigle et al. 2022, score fusion).
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_expit

_CONSTANT = 60.0  # of reciprocal ranks
_TINY = 1e-9  # a cosine's rounding, which may pass 1

Scores = NDArray[np.float32]


def reranker_alone(retriever: Scores, reranker: Scores, *, weight: float = 0.0) -> Scores:
    """The reranker's scores; the retriever only chose the items."""
    return np.asarray(reranker, dtype=np.float32)


def weighted(retriever: Scores, reranker: Scores, *, weight: float = 0.5) -> Scores:
    """(1 - w) reranker + w retriever, each first brought to 0..1 over the k items of its query.

    A query whose items all score alike gets zeros from that side.
    """
    return ((1 - weight) * _unit_range(reranker) + weight * _unit_range(retriever)).astype(np.float32)


def weighted_probability(retriever: Scores, reranker: Scores, *, weight: float = 0.5) -> Scores:
    """The order of f = (1 - w) match probability + w cosine, the published form, without normalisation.

    What comes back is log((f + w) / (1 - f)), which grows with f and is the log-odds at w = 0: float32 tells apart what
    it could not as f near 1.
    """
    log_odds, cosine = reranker.astype(np.float64), retriever.astype(np.float64)
    with np.errstate(divide="ignore"):
        of_reranker, of_retriever = np.log(1 - weight), np.log(weight)
    above = np.logaddexp(of_reranker + log_expit(log_odds), of_retriever + np.log(np.maximum(1 + cosine, _TINY)))
    below = np.logaddexp(of_reranker + log_expit(-log_odds), of_retriever + np.log(np.maximum(1 - cosine, _TINY)))
    return (above - below).astype(np.float32)


def reciprocal_rank(retriever: Scores, reranker: Scores, *, weight: float = 0.5) -> Scores:
    """(1 - w) / (60 + reranker's rank) + w / (60 + retriever's rank); equal scores share their mean rank.

    Cormack, Clarke and Buettcher 2009, with weights; ranks count from 1 within each query.
    """
    by_reranker, by_retriever = (
        pd.DataFrame(scores).rank(axis=1, ascending=False).to_numpy() for scores in (reranker, retriever)
    )
    fused = (1 - weight) / (_CONSTANT + by_reranker) + weight / (_CONSTANT + by_retriever)
    return fused.astype(np.float32)


FUSIONS: Mapping[str, Callable[..., Scores]] = {
    "none": reranker_alone,
    "weighted": weighted,
    "weighted_probability": weighted_probability,
    "reciprocal_rank": reciprocal_rank,
}


def fuse(method: str, retriever: Scores, reranker: Scores, *, weight: float = 0.5) -> Scores:
    """The scores (Q, k) by the named method of ``FUSIONS``."""
    if method not in FUSIONS:
        raise ValueError(f"fusion {method!r} is not known; choose one of {list(FUSIONS)}")
    if retriever.shape != reranker.shape or retriever.ndim != 2:
        raise ValueError(
            f"retriever and reranker score the same items, (Q, k) each, got {retriever.shape} and {reranker.shape}"
        )
    if not 0 <= weight <= 1:
        raise ValueError(f"fusion weight {weight} is outside 0..1 (0: the reranker alone, 1: the retriever alone)")
    return FUSIONS[method](retriever, reranker, weight=weight)


def _unit_range(scores: Scores) -> NDArray[np.float64]:
    exact = scores.astype(np.float64)
    low = exact.min(axis=1, keepdims=True)
    width = exact.max(axis=1, keepdims=True) - low
    return np.divide(exact - low, width, out=np.zeros_like(exact), where=width > 0)
