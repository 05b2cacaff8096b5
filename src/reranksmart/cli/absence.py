"""The verb that measures how well a system knows that nothing matches."""

import json
from typing import Annotated

import typer

from reranksmart.cli import options
from reranksmart.cli.verb import NewFolder, verb
from reranksmart.files.storage import read_relevance, write_json
from reranksmart.ranking.absence import ABSENCE_FILE
from reranksmart.ranking.measured_absence import measured_absence
from reranksmart.ranking.measuring import read_folds
from reranksmart.ranking.ranked_gallery import RankedGallery


@verb()
def evaluate_absence_verb(
    ranking: options.FoldRankings,
    data: options.FoldSplits,
    relevance: options.FoldRelevance,
    dev_ranking: options.Folder,
    dev_relevance: options.Folder,
    experiment: options.Experiment,
    gallery: options.FoldGalleries,
    languages: options.LanguageNames,
    depth: Annotated[int, typer.Option(help="candidates of which the best score counts", min=1)],
    rates: Annotated[str, typer.Option(help="shares of false alarms, separated by commas")],
    output: NewFolder,
    pair_scores: options.PairScores = None,
    dev_pair_scores: options.MaybeFolder = None,
    resamples: options.Resamples = 1000,
) -> None:
    """Measures "nothing here matches", learned on dev, on queries with and without their right items: measures.csv.

    What was learned stands in absence.json, by language and direction.
    """
    folds = read_folds(gallery.split(","), ranking=ranking, data=data, relevance=relevance, pair_scores=pair_scores)
    table, learned = measured_absence(
        folds,
        RankedGallery(dev_ranking, dev_pair_scores),
        read_relevance(dev_relevance),
        experiment=json.loads(experiment),
        languages=languages.split(","),
        depth=depth,
        rates=[float(rate) for rate in rates.split(",")],
        resamples=resamples,
    )
    table.to_csv(output / "measures.csv", index=False)
    write_json(output / ABSENCE_FILE, learned)
