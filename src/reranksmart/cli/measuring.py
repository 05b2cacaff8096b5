"""Verbs that measure: evaluate a system, or its twins."""

import json
from pathlib import Path

import pandas as pd

from reranksmart.cli.options import (
    Depths,
    Exhaustive,
    Experiment,
    Folder,
    FoldGalleries,
    FoldRankings,
    FoldRelevance,
    FoldSplits,
    Fusions,
    LanguageNames,
    MaybeFolder,
    Neighbours,
    PairScores,
    Resamples,
    combinations_of,
)
from reranksmart.cli.verb import NewFolder, verb
from reranksmart.datasets.prepared.layout import read_foils
from reranksmart.evaluation.per_query import write_per_query
from reranksmart.evaluation.twins import twins_by_language
from reranksmart.files.storage import read_captions, read_relevance, read_twin_scores
from reranksmart.ranking.measuring import Fold, evaluate, read_folds
from reranksmart.ranking.ranked_gallery import RankedGallery
from reranksmart.values.records import Direction


@verb()
def evaluate_verb(
    ranking: FoldRankings,
    data: FoldSplits,
    relevance: FoldRelevance,
    experiment: Experiment,
    gallery: FoldGalleries,
    languages: LanguageNames,
    output: NewFolder,
    pair_scores: PairScores = None,
    depths: Depths = "",
    fusions: Fusions = '[{"method":"none"}]',
    exhaustive: Exhaustive = False,
    neighbours: Neighbours = False,
    resamples: Resamples = 1000,
    dev_ranking: MaybeFolder = None,
    dev_pair_scores: MaybeFolder = None,
    dev_data: MaybeFolder = None,
    dev_relevance: MaybeFolder = None,
) -> None:
    """Measures one system: means with intervals in measures.csv, every query's values in per_query/.

    The system's answers on dev calibrate fusions; what these chose stands in calibrations.csv.

    Folds are galleries apart whose queries count together: with folds of one size, the mean over the folds.
    """
    dev = None
    if dev_ranking and dev_pair_scores and dev_data and dev_relevance:
        captions, truth = read_captions(dev_data / "captions.jsonl"), read_relevance(dev_relevance)
        dev = Fold(RankedGallery(dev_ranking, dev_pair_scores), captions, dict.fromkeys(Direction, truth))
    found = list(
        evaluate(
            read_folds(
                gallery.split(","),
                ranking=ranking,
                data=data,
                relevance=relevance,
                pair_scores=pair_scores,
                exhaustive=exhaustive,
                neighbours=neighbours,
            ),
            experiment=json.loads(experiment),
            languages=languages.split(","),
            combinations=combinations_of(depths, fusions),
            resamples=resamples,
            dev=dev,
        )
    )
    pd.concat([one.rows for one in found]).to_csv(output / "measures.csv", index=False)
    (output / "per_query").mkdir()
    for one in found:
        write_per_query(output / "per_query" / f"{one.name}.csv", one.per_query)
    if chosen := [row for one in found for row in one.calibrations]:
        pd.DataFrame(chosen).to_csv(output / "calibrations.csv", index=False)


@verb()
def evaluate_twins_verb(
    scores: Folder,
    data: Folder,
    experiment: Experiment,
    output: NewFolder,
    resamples: Resamples = 1000,
) -> None:
    """Twin accuracy of one model in one role, for every language of its captions."""
    ids, own, twin = read_twin_scores(scores / "scores.npz")
    captions, foils = read_captions(data / "captions.jsonl"), read_foils(data)
    row_by_id = {id_: row for row, id_ in enumerate(captions.ids)}
    table = twins_by_language(
        captions.take(row_by_id[id_] for id_ in ids),
        own_scores=own,
        twin_scores=twin,
        experiment=json.loads(experiment),
        foils=foils,
        resamples=resamples,
    )
    table.to_csv(output / "measures.csv", index=False)
