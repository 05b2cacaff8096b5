"""Verbs that measure by further judgements of relevance: ECCV Caption and CxC on COCO's 5k test images."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from reranksmart.cli import options
from reranksmart.cli.verb import NewFolder, verb
from reranksmart.datasets.coco import Coco
from reranksmart.datasets.prepared.layout import read_image_ids
from reranksmart.datasets.published.extended_relevance import extended_relevance
from reranksmart.evaluation.extended import judged_query_measures, summarise_judged
from reranksmart.files.storage import read_captions, read_relevance, write_relevance
from reranksmart.ranking.measuring import Fold, evaluate
from reranksmart.ranking.ranked_gallery import RankedGallery
from reranksmart.values.recalls import EXTENDED_MEASURES
from reranksmart.values.records import Direction

Collection = Annotated[str, typer.Option(help="eccv_caption or cxc")]
LANGUAGE = "en"  # COCO's


@verb()
def judge_extended_verb(
    data: Annotated[Path, typer.Option(help="folder of the judged split")],
    settings: Annotated[str, typer.Option(help="the dataset's settings as JSON, with this split")],
    collection: Collection,
    output: NewFolder,
) -> None:
    """Finds which captions and images of a split a collection holds relevant to each other, in each direction."""
    numbers = Coco.model_validate_json(settings).caption_numbers(data.name)
    found = extended_relevance(collection, image_ids=read_image_ids(data), caption_numbers=numbers)
    for direction, relevance in found.items():
        write_relevance(output / f"{direction}.npz", relevance)


@verb()
def evaluate_extended_verb(
    ranking: Annotated[Path, typer.Option(help="folder of the retriever's candidates, or an exhaustive ranking")],
    data: options.Folder,
    relevance: Annotated[Path, typer.Option(help="folder of the relevance of each direction")],
    collection: Collection,
    experiment: options.Experiment,
    output: NewFolder,
    pair_scores: options.MaybeFolder = None,
    depths: options.Depths = "",
    fusions: options.Fusions = '[{"method":"none"}]',
    exhaustive: options.Exhaustive = False,
    resamples: options.Resamples = 1000,
) -> None:
    """Measures one system by a collection of judgements: means with intervals. Unjudged queries do not count."""
    truth = {way: read_relevance(relevance / f"{way}.npz") for way in Direction}
    found = evaluate(
        [Fold(RankedGallery(ranking, pair_scores, exhaustive), read_captions(data / "captions.jsonl"), truth)],
        experiment=json.loads(experiment),
        languages=[LANGUAGE],
        combinations=options.combinations_of(depths, fusions),
        resamples=resamples,
        measure=judged_query_measures,
        summary=partial(summarise_judged, measures=EXTENDED_MEASURES[collection]),
    )
    pd.concat([one.rows for one in found]).to_csv(output / "measures.csv", index=False)
