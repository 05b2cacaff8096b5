"""The verb that measures how well a system knows that nothing matches."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray

from reranksmart import evaluation
from reranksmart.cli.measuring import asked_captions, joined_folds
from reranksmart.cli.options import Experiment, Folder, Resamples
from reranksmart.cli.rankings import RankedGallery
from reranksmart.cli.verb import NewFolder, verb
from reranksmart.config.experiments import Fusion
from reranksmart.files.storage import read_relevance, write_json
from reranksmart.ranking.absence import ABSENCE_FILE, Absence, Scores, best_scores, learn_absence
from reranksmart.values.records import Direction


@verb()
def evaluate_absence_verb(
    ranking: Annotated[list[Path], typer.Option(help="folder of the retriever's candidates; of each fold, in order")],
    data: Annotated[list[Path], typer.Option(help="folder of the split whose captions and images ask")],
    relevance: Annotated[list[Path], typer.Option()],
    dev_ranking: Folder,
    dev_relevance: Folder,
    experiment: Experiment,
    gallery: Annotated[str, typer.Option(help="its name; several by commas, as many as rankings, are folds")],
    languages: Annotated[str, typer.Option(help="separated by commas")],
    depth: Annotated[int, typer.Option(help="candidates of which the best score counts", min=1)],
    rates: Annotated[str, typer.Option(help="shares of false alarms, separated by commas")],
    output: NewFolder,
    pair_scores: Annotated[list[Path] | None, typer.Option(help="folder of the reranker's log-odds")] = None,
    dev_pair_scores: Annotated[Path | None, typer.Option()] = None,
    resamples: Resamples = 1000,
) -> None:
    """Measures "nothing here matches", learned on dev, on queries with and without their right items: measures.csv.

    What was learned stands in absence.json, by language and direction.
    """
    keys = json.loads(experiment)
    asked = [float(rate) for rate in rates.split(",")]
    scored_by: list[Path] | list[None] = pair_scores or [None] * len(ranking)
    folds = list(zip(gallery.split(","), ranking, scored_by, data, relevance, strict=True))
    learned: dict[str, dict[str, object]] = {}
    tables = []
    for language in languages.split(","):
        learned[language] = {}
        per_query, pairs = {}, {}
        for way in Direction:
            _, scores, right = _judged(dev_ranking, dev_pair_scores, dev_relevance, language, way, depth)
            absence = learn_absence(scores, right)
            learned[language][way.value] = asdict(absence)
            frames, pairs[way] = [], 0
            for name, ranked, scored, folder, truth in folds:
                queries, scores, right = _judged(ranked, scored, truth, language, way, depth)
                captions = asked_captions(folder, name).in_languages([language])
                frame = said_of_each_query(absence, queries, scores, right, rates=asked)
                frames.append(evaluation.with_images(frame, captions, way))
                pairs[way] += scores.size if scored else 0
            per_query[way] = joined_folds(frames)
        row = {**keys, "language": language, "depth": depth if pair_scores else 0, "fusion": "none"}
        measures = [name for name in per_query[Direction.TEXT_TO_IMAGE] if name != "image"]
        rng = np.random.default_rng(keys["seed"])
        tables.append(
            evaluation.summarise_judged(
                per_query, measures, experiment=row, pairs_scored=pairs, rng=rng, resamples=resamples
            )
        )
    pd.concat(tables).to_csv(output / "measures.csv", index=False)
    write_json(output / ABSENCE_FILE, learned)


def _judged(
    ranking: Path, pair_scores: Path | None, relevance: Path, language: str, way: Direction, depth: int
) -> tuple[Sequence[str], Scores, NDArray[np.bool_]]:
    """Query ids (Q,), the deciding scores (Q, K) of the first candidates, and which of these are right."""
    folder = RankedGallery(ranking, pair_scores)
    if pair_scores:
        found, scores = folder.candidates(language, way, depth)
    else:
        found, _ = folder.ranking(language, way, 0, Fusion())
        scores = found.scores[:, :depth]
    right = evaluation.relevant_items(found, read_relevance(relevance), way)[:, : scores.shape[1]]
    return found.query_ids, scores, right


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
