"""Systems measured on their rankings: every query's values, of all folds together, and means with intervals."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reranksmart.config.experiments import Fusion
from reranksmart.evaluation.per_query import joined_folds, per_query_measures, require_every_query, with_images
from reranksmart.evaluation.resampling import PerQuery
from reranksmart.evaluation.summary import summarise
from reranksmart.files.storage import read_relevance
from reranksmart.inputs.captions import read_asking_captions
from reranksmart.ranking.calibration import Calibration, within_pairs, within_risk
from reranksmart.ranking.ranked_gallery import RankedGallery
from reranksmart.values.records import Captions, Direction, Ranking, Relevance


@dataclass(frozen=True)
class Fold:
    """A gallery apart, whose queries count: its rankings, the captions that ask, and what is relevant in each direction."""

    ranked: RankedGallery
    captions: Captions
    relevance: Mapping[Direction, Relevance]

    def calibration(self, language: str, way: Direction, depth: int, fusion: Fusion) -> Calibration:
        """The weight and gap that these queries, dev's, choose for a direction within the fusion's limits."""
        ranking, log_odds, relevant = self.ranked.judged(self.relevance[way], language, way, depth)
        cosines = ranking.scores[:, : log_odds.shape[1]]
        if fusion.risk is None:
            return within_pairs(cosines, log_odds, relevant, most_pairs=fusion.pairs)
        image_of = dict(zip(self.captions.ids, self.captions.image_ids, strict=True))
        images = [image_of.get(query, query) for query in ranking.query_ids]
        image = np.unique(images, return_inverse=True)[1]
        return within_risk(cosines, log_odds, relevant, image, risk=fusion.risk, confidence=fusion.confidence)


def read_folds(
    galleries: Sequence[str],
    *,
    ranking: Sequence[Path],
    data: Sequence[Path],
    relevance: Sequence[Path],
    pair_scores: Sequence[Path] | None = None,
    exhaustive: bool = False,
    neighbours: bool = False,
) -> list[Fold]:
    """A fold for each gallery's name, of which every list has one; ValueError where one has more or fewer."""
    scored: Sequence[Path | None] = pair_scores or [None] * len(ranking)
    given = {"--ranking": ranking, "--data": data, "--relevance": relevance, "--pair-scores": scored}
    for option, values in given.items():
        if len(values) != len(galleries):
            raise ValueError(
                f"{option} has {len(values)} values for {len(galleries)} galleries; give one for each fold"
            )
    return [
        Fold(
            RankedGallery(ranked, scores, exhaustive, neighbours),
            read_asking_captions(folder, name),
            dict.fromkeys(Direction, read_relevance(truth)),
        )
        for name, ranked, scores, folder, truth in zip(galleries, ranking, scored, data, relevance, strict=True)
    ]


@dataclass(frozen=True)
class Evaluated:
    """A system in one language, at one depth, with one fusion: its rows of the long table, and every query's values."""

    name: str
    rows: pd.DataFrame
    per_query: PerQuery
    calibrations: list[dict[str, Any]]
    """What a calibrated fusion chose on dev, by direction."""


def evaluate(
    folds: Sequence[Fold],
    *,
    experiment: Mapping[str, Any],
    languages: Iterable[str],
    combinations: Sequence[tuple[int, Fusion]],
    resamples: int,
    dev: Fold | None = None,
    measure: Callable[[Ranking, Relevance, Direction], pd.DataFrame] = per_query_measures,
    summary: Callable[..., pd.DataFrame] = summarise,
) -> Iterator[Evaluated]:
    """Each depth and fusion in each language; intervals draw by the experiment's seed.

    ``measure`` gives the values of each query, ``summary`` their means. ValueError where a query was not ranked, or where
    a fusion is calibrated and there is no ``dev``.
    """
    for language in languages:
        for depth, fusion in combinations:
            keys = {"language": language, "depth": depth, "fusion": fusion.label}
            chosen = _calibrations(dev, language, depth, fusion) if fusion.method == "calibrated" else {}
            per_query: dict[Direction, pd.DataFrame] = {}
            pairs = dict.fromkeys(Direction, 0)
            for way in Direction:
                frames = []
                for fold in folds:
                    found, scored = fold.ranked.ranking(language, way, depth, fusion, chosen.get(way))
                    asked = fold.captions.in_languages([language])
                    require_every_query(found, asked, way)
                    frames.append(with_images(measure(found, fold.relevance[way], way), asked, way))
                    pairs[way] += scored
                per_query[way] = joined_folds(frames)
            rows = summary(
                per_query,
                experiment={**experiment, **keys},
                pairs_scored=pairs,
                rng=np.random.default_rng(experiment["seed"]),
                resamples=resamples,
            )
            told = [
                {"language": language, "direction": way.value, **keys, **asdict(one)} for way, one in chosen.items()
            ]
            yield Evaluated(f"{language}.{depth}.{fusion.label}", rows, per_query, told)


def _calibrations(dev: Fold | None, language: str, depth: int, fusion: Fusion) -> dict[Direction, Calibration]:
    if dev is None:
        raise ValueError("a calibrated fusion is chosen on dev; give all four --dev-... options")
    return {way: dev.calibration(language, way, depth, fusion) for way in Direction}
