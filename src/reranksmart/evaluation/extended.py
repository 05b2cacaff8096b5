"""Measures for queries with many relevant items, as ECCV Caption and CxC have them (Musgrave et al. 2020; Chun et al. 2022)."""

from collections.abc import Mapping, Sequence

import ir_measures
import numpy as np
import pandas as pd

from reranksmart.evaluation.resampling import bounded_weights
from reranksmart.evaluation.summary import MEASURE_COLUMNS, mean_rows
from reranksmart.values.recalls import CUTOFFS, RECALLS
from reranksmart.values.records import Direction, Ranking, Relevance


def judged_query_measures(ranking: Ranking, relevance: Relevance, direction: Direction) -> pd.DataFrame:
    """One row for each judged query (index ``query``): mAP@R, R-Precision, R@1, R@5 and R@10 in 0..1.

    R is the number of the query's relevant items, those outside the gallery included. R-Precision is their share among
    the first R ranked; mAP@R the mean over r = 1..R of the precision at r where item r is relevant, else 0. Queries
    without a judgement are left out. Raises ValueError where none has one, or where fewer than R items were ranked.
    """
    relevant_items = relevance.items_by_query(direction)
    judged = [row for row, query in enumerate(ranking.query_ids) if query in relevant_items]
    if not judged:
        raise ValueError(
            f"none of the {len(ranking):,} {direction} queries is judged, the first is {ranking.query_ids[0]!r}; take a "
            "test set whose queries are, or leave extended_relevance out."
        )
    rows = []
    for row in judged:
        relevant = relevant_items[ranking.query_ids[row]]
        count = len(relevant)
        if ranking.depth < min(count, len(ranking.gallery_ids)):
            raise ValueError(
                f"query {ranking.query_ids[row]!r} has {count} relevant items, but only {ranking.depth} were ranked of a "
                f"gallery of {len(ranking.gallery_ids):,}; set candidates to {count} or more."
            )
        hits = np.zeros(max(count, ranking.depth))
        hits[: ranking.depth] = [item in relevant for item in ranking.item_ids(row)]
        first = hits[:count]
        precision = np.cumsum(first) / np.arange(1, count + 1)
        recalls = (float(hits[:k].any()) for k in CUTOFFS)
        rows.append((float((precision * first).mean()), *recalls))
    index = pd.Index([ranking.query_ids[row] for row in judged], name="query")
    frame = pd.DataFrame(rows, index=index, columns=["mAP@R", *RECALLS])
    frame.insert(1, "R-Precision", _r_precision(ranking, judged, relevant_items))
    return frame


def _r_precision(ranking: Ranking, judged: Sequence[int], relevant_items: Mapping[str, frozenset[str]]) -> list[float]:
    """Of each judged row, by ir-measures; scores fall with the rank, since the library breaks ties by name."""
    qrels = {str(row): dict.fromkeys(relevant_items[ranking.query_ids[row]], 1) for row in judged}
    run = {str(row): {item: float(-rank) for rank, item in enumerate(ranking.item_ids(row))} for row in judged}
    found = {metric.query_id: metric.value for metric in ir_measures.iter_calc([ir_measures.Rprec], qrels, run)}
    return [found[str(row)] for row in judged]


def summarise_judged(
    per_query: Mapping[Direction, pd.DataFrame],
    measures: Sequence[str],
    *,
    experiment: Mapping[str, object],
    pairs_scored: Mapping[Direction, int],
    rng: np.random.Generator,
    resamples: int = 1000,
) -> pd.DataFrame:
    """Rows of the long table: the mean of each measure in percent, in each direction.

    ``per_query`` comes from ``judged_query_measures`` and ``with_images``. The interval is ``bounded_interval``'s over the
    images of the judged queries.
    """
    rows: list[dict[str, object]] = []
    for direction, frame in per_query.items():
        code, images = pd.factorize(frame["image"])
        shared = {
            "direction": direction.value,
            "queries": len(frame),
            "images": len(images),
            "pairs_scored": pairs_scored[direction],
        }
        weights = bounded_weights(len(images), resamples=resamples, rng=rng)
        rows += mean_rows(frame, measures, code, weights, shared=shared)
    return pd.DataFrame([{**experiment, **row} for row in rows], columns=list(MEASURE_COLUMNS))
