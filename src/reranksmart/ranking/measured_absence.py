"""How well a system knows that nothing matches: learned on dev, asked with and without each query's right items."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reranksmart.evaluation.extended import summarise_judged
from reranksmart.evaluation.per_query import joined_folds, with_images
from reranksmart.ranking.absence import Absence, Scores, best_scores, learn_absence
from reranksmart.ranking.measuring import Fold
from reranksmart.ranking.ranked_gallery import RankedGallery
from reranksmart.values.records import Direction, Relevance


def measured_absence(
    folds: Sequence[Fold],
    dev: RankedGallery,
    dev_relevance: Relevance,
    *,
    experiment: Mapping[str, Any],
    languages: Sequence[str],
    depth: int,
    rates: Sequence[float],
    resamples: int,
) -> tuple[pd.DataFrame, dict[str, dict[str, Any]]]:
    """Rows of the long table, and what was learned by language and direction; ``rates`` are shares of false alarms."""
    learned: dict[str, dict[str, Any]] = {}
    tables = []
    for language in languages:
        learned[language] = {}
        per_query, pairs = {}, {}
        for way in Direction:
            _, scores, right = dev.judged(dev_relevance, language, way, depth)
            absence = learn_absence(scores, right)
            learned[language][way.value] = asdict(absence)
            frames, pairs[way] = [], 0
            for fold in folds:
                found, scores, right = fold.ranked.judged(fold.relevance[way], language, way, depth)
                said = said_of_each_query(absence, found.query_ids, scores, right, rates=rates)
                frames.append(with_images(said, fold.captions.in_languages([language]), way))
                pairs[way] += scores.size if fold.ranked.pair_scores else 0
            per_query[way] = joined_folds(frames)
        row = {
            **experiment,
            "language": language,
            "depth": depth if folds[0].ranked.pair_scores else 0,
            "fusion": "none",
        }
        measures = [name for name in per_query[Direction.TEXT_TO_IMAGE] if name != "image"]
        rng = np.random.default_rng(experiment["seed"])
        tables.append(
            summarise_judged(per_query, measures, experiment=row, pairs_scored=pairs, rng=rng, resamples=resamples)
        )
    return pd.concat(tables), learned


def said_of_each_query(
    absence: Absence, queries: Sequence[str], scores: Scores, right: NDArray[np.bool_], *, rates: Sequence[float]
) -> pd.DataFrame:
    """For each rate of false alarms whether each query is told that nothing matches, 0 or 1, with its right items among
    the candidates (``false alarms at 5 %``) and without them (``noticed at 5 %``); and the Brier score of both."""
    there, gone, first_right = best_scores(scores, right)
    columns = {}
    for rate in rates:
        for name, best in (("false alarms", there), ("noticed", gone)):
            said = absence.nothing_matches(best, false_alarms=rate)
            columns[f"{name} at {100 * rate:g} %"] = said.astype(float)
    of_there, of_gone = absence.probability(there), absence.probability(gone)
    columns["Brier score"] = ((of_there - first_right) ** 2 + of_gone**2) / 2
    index = pd.Index(np.array(queries)[~right.all(axis=1)], name="query")
    return pd.DataFrame(columns, index=index)
