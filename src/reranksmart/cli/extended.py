"""Verbs that measure by further judgements of relevance: ECCV Caption and CxC on COCO's 5k test images."""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from reranksmart import evaluation
from reranksmart.cli.options import Depths, Exhaustive, Experiment, Fusions, Resamples
from reranksmart.cli.rankings import RankedGallery, combinations_of
from reranksmart.cli.verb import NewFolder, verb
from reranksmart.datasets.coco import Coco
from reranksmart.datasets.prepared.layout import read_image_ids
from reranksmart.datasets.published.extended_relevance import extended_relevance
from reranksmart.files.storage import read_captions, read_relevance, write_relevance
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
    data: Annotated[Path, typer.Option(help="folder of the split whose captions and images ask")],
    relevance: Annotated[Path, typer.Option(help="folder of the relevance of each direction")],
    collection: Collection,
    experiment: Experiment,
    output: NewFolder,
    pair_scores: Annotated[Path | None, typer.Option(help="folder of the reranker's log-odds")] = None,
    depths: Depths = "",
    fusions: Fusions = '[{"method":"none"}]',
    exhaustive: Exhaustive = False,
    resamples: Resamples = 1000,
) -> None:
    """Measures one system by a collection of judgements: means with intervals. Unjudged queries do not count."""
    keys = json.loads(experiment)
    ranked, captions = RankedGallery(ranking, pair_scores, exhaustive), read_captions(data / "captions.jsonl")
    truth = {way: read_relevance(relevance / f"{way}.npz") for way in Direction}
    tables: list[pd.DataFrame] = []
    for depth, fusion in combinations_of(depths, fusions):
        per_query, pairs = {}, {}
        for way in Direction:
            found, pairs[way] = ranked.ranking(LANGUAGE, way, depth, fusion)
            evaluation.require_every_query(found, captions, way)
            measures = evaluation.judged_query_measures(found, truth[way], way)
            per_query[way] = evaluation.with_images(measures, captions, way)
        tables.append(
            evaluation.summarise_judged(
                per_query,
                evaluation.EXTENDED_MEASURES[collection],
                experiment={**keys, "language": LANGUAGE, "depth": depth, "fusion": fusion.label},
                pairs_scored=pairs,
                rng=np.random.default_rng(keys["seed"]),
                resamples=resamples,
            )
        )
    pd.concat(tables).to_csv(output / "measures.csv", index=False)
