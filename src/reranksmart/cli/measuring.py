"""Verbs that measure: evaluate a system, or its twins."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from reranksmart import evaluation
from reranksmart.cli.options import Depths, Exhaustive, Experiment, Folder, Fusions, Neighbours, Resamples
from reranksmart.cli.rankings import Dev, RankedGallery, combinations_of
from reranksmart.cli.verb import NewFolder, verb
from reranksmart.datasets.prepared.layout import read_foils
from reranksmart.files.storage import read_captions, read_relevance, read_twin_scores
from reranksmart.values.gallery import Gallery
from reranksmart.values.records import Captions, Direction


@verb()
def evaluate_verb(
    ranking: Annotated[list[Path], typer.Option(help="folder of the retriever's candidates, or an exhaustive ranking")],
    data: Annotated[list[Path], typer.Option(help="folder of the split whose captions and images ask")],
    relevance: Annotated[list[Path], typer.Option()],
    experiment: Experiment,
    gallery: Annotated[str, typer.Option(help="its name; several by commas, as many as rankings, are folds")],
    languages: Annotated[str, typer.Option(help="separated by commas")],
    output: NewFolder,
    pair_scores: Annotated[list[Path] | None, typer.Option(help="folder of the reranker's log-odds")] = None,
    depths: Depths = "",
    fusions: Fusions = '[{"method":"none"}]',
    exhaustive: Exhaustive = False,
    neighbours: Neighbours = False,
    resamples: Resamples = 1000,
    dev_ranking: Annotated[
        Path | None, typer.Option(help="its candidates on dev, by which fusions are calibrated")
    ] = None,
    dev_pair_scores: Annotated[Path | None, typer.Option()] = None,
    dev_data: Annotated[Path | None, typer.Option()] = None,
    dev_relevance: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Measures one system: means with intervals in measures.csv, every query's values in per_query/.

    What calibrated fusions chose on dev stands in calibrations.csv.

    Folds are galleries apart whose queries count together: with folds of one size, the mean over the folds.
    """
    keys = json.loads(experiment)
    reranker: list[Path] | list[None] = pair_scores or [None] * len(ranking)
    galleries = gallery.split(",")
    given = {"--ranking": ranking, "--data": data, "--relevance": relevance, "--pair-scores": reranker}
    for option, values in given.items():
        if len(values) != len(galleries):
            raise ValueError(
                f"{option} has {len(values)} values for {len(galleries)} galleries; give one for each fold"
            )
    folds = [
        (RankedGallery(ranked, scores, exhaustive, neighbours), asked_captions(folder, name), read_relevance(truth))
        for name, ranked, scores, folder, truth in zip(galleries, ranking, reranker, data, relevance, strict=True)
    ]
    dev = _dev(dev_ranking, dev_pair_scores, dev_data, dev_relevance)
    tables: list[pd.DataFrame] = []
    chosen: list[dict[str, object]] = []
    (output / "per_query").mkdir()
    for language in languages.split(","):
        for depth, fusion in combinations_of(depths, fusions):
            per_query: dict[Direction, pd.DataFrame] = {}
            pairs = dict.fromkeys(Direction, 0)
            for way in Direction:
                frames = []
                calibration = None
                if fusion.method == "calibrated":
                    if dev is None:
                        raise ValueError("a calibrated fusion is chosen on dev; give all four --dev-... options")
                    calibration = dev.calibration(language, way, depth, fusion)
                    row = {"language": language, "direction": way.value, "depth": depth, "fusion": fusion.label}
                    chosen.append({**row, **asdict(calibration)})
                for ranked, captions, truth in folds:
                    found, scored = ranked.ranking(language, way, depth, fusion, calibration)
                    asked = captions.in_languages([language])
                    evaluation.require_every_query(found, asked, way)
                    measures = evaluation.per_query_measures(found, truth, way)
                    frames.append(evaluation.with_images(measures, asked, way))
                    pairs[way] += scored
                per_query[way] = joined_folds(frames)
            row = {**keys, "language": language, "depth": depth, "fusion": fusion.label}
            rng = np.random.default_rng(keys["seed"])
            tables.append(
                evaluation.summarise(per_query, experiment=row, pairs_scored=pairs, rng=rng, resamples=resamples)
            )
            evaluation.write_per_query(output / "per_query" / f"{language}.{depth}.{fusion.label}.csv", per_query)
    pd.concat(tables).to_csv(output / "measures.csv", index=False)
    if chosen:
        pd.DataFrame(chosen).to_csv(output / "calibrations.csv", index=False)


def _dev(ranking: Path | None, pair_scores: Path | None, data: Path | None, relevance: Path | None) -> Dev | None:
    if not (ranking and pair_scores and data and relevance):
        return None
    return Dev(RankedGallery(ranking, pair_scores), read_captions(data / "captions.jsonl"), read_relevance(relevance))


def asked_captions(folder: Path, gallery: str) -> Captions:
    """The captions of a split that a gallery of this name asks."""
    captions, per_image = read_captions(folder / "captions.jsonl"), Gallery.parse(gallery).captions_per_image
    return captions.first_of_each_image(per_image) if per_image else captions


def joined_folds(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """The values of all folds' queries; ValueError where a query stands in two of them."""
    joined = pd.concat(frames)
    twice = joined.index[joined.index.duplicated()]
    if len(twice):
        raise ValueError(f"query {twice[0]!r} is in two folds: it would count twice. Give each fold once.")
    return joined


@verb()
def evaluate_twins_verb(
    scores: Folder,
    data: Folder,
    experiment: Experiment,
    output: NewFolder,
    resamples: Resamples = 1000,
) -> None:
    """Twin accuracy of one model in one role, for every language of its captions."""
    keys = json.loads(experiment)
    ids, own, twin = read_twin_scores(scores / "scores.npz")
    captions, foils = read_captions(data / "captions.jsonl"), read_foils(data)
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
                foils=foils,
                resamples=resamples,
            )
        )
    pd.concat(tables).to_csv(output / "measures.csv", index=False)
