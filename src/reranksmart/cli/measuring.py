"""Verbs that measure: evaluate a system, or its twins."""

import json

import pandas as pd

from reranksmart.cli import options
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
    ranking: options.FoldRankings,
    data: options.FoldSplits,
    relevance: options.FoldRelevance,
    experiment: options.Experiment,
    gallery: options.FoldGalleries,
    languages: options.LanguageNames,
    output: NewFolder,
    pair_scores: options.PairScores = None,
    depths: options.Depths = "",
    fusions: options.Fusions = '[{"method":"none"}]',
    exhaustive: options.Exhaustive = False,
    neighbours: options.Neighbours = False,
    resamples: options.Resamples = 1000,
    dev_ranking: options.MaybeFolder = None,
    dev_pair_scores: options.MaybeFolder = None,
    dev_data: options.MaybeFolder = None,
    dev_relevance: options.MaybeFolder = None,
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
            combinations=options.combinations_of(depths, fusions),
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
    scores: options.Folder,
    data: options.Folder,
    experiment: options.Experiment,
    output: NewFolder,
    resamples: options.Resamples = 1000,
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
