"""Verbs that measure: evaluate a system, or its twins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from reranksmart import evaluation
from reranksmart.cli.rankings import RankedGallery, combinations_of
from reranksmart.cli.verb import new_folder, verb
from reranksmart.files.storage import read_captions, read_relevance, read_twin_scores
from reranksmart.values.records import Captions, Direction

Folder = Annotated[Path, typer.Option()]
Experiment = Annotated[str, typer.Option(help="backbone, training_set, system, seed, test_set as JSON")]


@verb()
def evaluate_verb(
    ranking: Annotated[list[Path], typer.Option(help="folder of the retriever's candidates, or an exhaustive ranking")],
    data: Annotated[list[Path], typer.Option(help="folder of the split whose captions and images ask")],
    relevance: Annotated[list[Path], typer.Option()],
    experiment: Experiment,
    gallery: Annotated[str, typer.Option(help="its name; several by commas, as many as rankings, are folds")],
    languages: Annotated[str, typer.Option(help="separated by commas")],
    output: Folder,
    pair_scores: Annotated[list[Path] | None, typer.Option(help="folder of the reranker's log-odds")] = None,
    depths: Annotated[str, typer.Option(help="k, separated by commas; empty without re-ranking")] = "",
    fusions: Annotated[str, typer.Option(help="list of fusions as JSON")] = '[{"method":"none"}]',
    resamples: int = 1000,
) -> None:
    """Measures one system: means with intervals in measures.csv, every query's values in per_query/.

    Folds are galleries apart whose queries count together: with folds of one size, the mean over the folds.
    """
    keys = json.loads(experiment)
    reranker: list[Path] | list[None] = pair_scores or [None] * len(ranking)
    folds = [
        (RankedGallery(ranked, scores), read_captions(folder / "captions.jsonl"), read_relevance(truth))
        for ranked, scores, folder, truth in zip(ranking, reranker, data, relevance, strict=True)
    ]
    tables: list[pd.DataFrame] = []
    with new_folder(output) as target:
        (target / "per_query").mkdir()
        for language in languages.split(","):
            for depth, fusion in combinations_of(depths, fusions):
                per_query: dict[Direction, pd.DataFrame] = {}
                pairs = dict.fromkeys(Direction, 0)
                for way in Direction:
                    frames = []
                    for ranked, captions, truth in folds:
                        found, scored = ranked.ranking(language, way, depth, fusion)
                        measures = evaluation.per_query_measures(found, truth, way)
                        frames.append(evaluation.with_images(measures, captions.in_languages([language]), way))
                        pairs[way] += scored
                    per_query[way] = pd.concat(frames)
                row = {**keys, "language": language, "depth": depth, "fusion": fusion.label}
                rng = np.random.default_rng(keys["seed"])
                tables.append(
                    evaluation.summarise(per_query, experiment=row, pairs_scored=pairs, rng=rng, resamples=resamples)
                )
                evaluation.write_per_query(target / "per_query" / f"{language}.{depth}.{fusion.label}.csv", per_query)
        pd.concat(tables).to_csv(target / "measures.csv", index=False)


@verb()
def evaluate_twins_verb(
    scores: Folder,
    data: Folder,
    experiment: Experiment,
    output: Folder,
    resamples: int = 1000,
) -> None:
    """Twin accuracy of one model in one role, for every language of its captions."""
    keys = json.loads(experiment)
    ids, own, twin = read_twin_scores(scores / "scores.npz")
    captions = read_captions(data / "captions.jsonl")
    row_by_id = {id_: row for row, id_ in enumerate(captions.ids)}
    scored = captions.take(row_by_id[id_] for id_ in ids)
    tables = []
    for language in sorted(set(scored.languages)):
        rows = [row for row, found in enumerate(scored.languages) if found == language]
        chosen: Captions = scored.take(rows)
        image_ids = list(dict.fromkeys(chosen.image_ids))
        row_keys = {**keys, "language": language, "depth": 0, "fusion": "none"}
        tables.append(
            evaluation.twin_accuracy(
                chosen,
                image_ids,
                own_scores=own[rows],
                twin_scores=twin[rows],
                experiment=row_keys,
                rng=np.random.default_rng(keys["seed"]),
                resamples=resamples,
            )
        )
    with new_folder(output) as target:
        pd.concat(tables).to_csv(target / "measures.csv", index=False)
