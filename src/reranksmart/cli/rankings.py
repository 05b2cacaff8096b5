"""The final rankings of a system: what was retrieved, re-ranked at a depth and fused."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reranksmart import evaluation
from reranksmart.config.experiments import Fusion
from reranksmart.files.storage import read_pair_scores, read_ranking
from reranksmart.ranking.calibration import Calibration, within_pairs, within_risk
from reranksmart.ranking.fusion import fuse
from reranksmart.values.records import Captions, Direction, Ranking, Relevance


def combinations_of(depths: str, fusions: str) -> list[tuple[int, Fusion]]:
    """Every fusion at each of its own ``depths``, or else at these; (0, none) without re-ranking.

    ``depths`` are separated by commas and empty without re-ranking, ``fusions`` are JSON.
    """
    of_all = [int(k) for k in filter(None, depths.split(","))]
    asked = [(given.pop("depths", of_all), Fusion(**given)) for given in json.loads(fusions)]
    return sorted(((k, fusion) for own, fusion in asked for k in own), key=lambda pair: pair[0]) or [(0, Fusion())]


@dataclass(frozen=True)
class RankedGallery:
    """A folder of rankings, and of a reranker's log-odds of their first items."""

    folder: Path
    pair_scores: Path | None
    exhaustive: bool = False
    """Whether a cross-encoder ranked by the scores of all pairs."""
    neighbours: bool = False
    """Whether it holds final rankings, one for each number of pairs."""

    def ranking(
        self, language: str, way: Direction, depth: int, fusion: Fusion, calibration: Calibration | None = None
    ) -> tuple[Ranking, int]:
        """The final ranking, and how many pairs were scored for it; by a ``calibration`` of the fusion if it has one."""
        if self.neighbours:  # which recall at k does not bind
            found = read_ranking(self.folder / f"{language}.{way}.{depth}.npz")
            return found, len(found) * min(depth, found.depth)
        if not self.pair_scores:
            before = read_ranking(self.folder / f"{language}.{way}.npz")
            return before, before.items.size if self.exhaustive else 0
        before, log_odds = self.candidates(language, way, depth)
        cosines = before.scores[:, : log_odds.shape[1]]
        if calibration:
            fused, pairs = calibration.scores(cosines, log_odds), int(calibration.pairs(cosines).sum())
        else:
            fused, pairs = fuse(fusion.method, cosines, log_odds, weight=fusion.weight), cosines.size
        after = before.rescored(fused)
        evaluation.require_recall_unchanged(before, after, depth=fused.shape[1])
        return after, pairs

    def candidates(self, language: str, way: Direction, depth: int) -> tuple[Ranking, NDArray[np.float32]]:
        """What was retrieved, and the log-odds (Q, k) of each query's first candidates."""
        before = read_ranking(self.folder / f"{language}.{way}.npz")
        path = self.pair_scores / f"{language}.{way}.npy" if self.pair_scores else self.folder
        log_odds = read_pair_scores(path)[:, :depth]
        most = min(depth, len(before.gallery_ids))
        if log_odds.shape != (len(before), most) or before.depth < most:
            raise ValueError(
                f"{path} holds log-odds {log_odds.shape} (queries, candidates); depth {depth} needs {(len(before), most)} "
                f"and as many candidates of {before.depth}. Measure a depth that was scored, or score the candidates deeper."
            )
        return before, log_odds


@dataclass(frozen=True)
class Dev:
    """The same system's answers on dev, by which fusions are calibrated."""

    gallery: RankedGallery
    captions: Captions
    relevance: Relevance

    def calibration(self, language: str, way: Direction, depth: int, fusion: Fusion) -> Calibration:
        """The weight and gap that dev chooses for a direction within the fusion's limits."""
        ranking, log_odds = self.gallery.candidates(language, way, depth)
        relevant = evaluation.relevant_items(ranking, self.relevance, way)[:, : log_odds.shape[1]]
        cosines = ranking.scores[:, : log_odds.shape[1]]
        if fusion.risk is None:
            return within_pairs(cosines, log_odds, relevant, most_pairs=fusion.pairs)
        image_of = dict(zip(self.captions.ids, self.captions.image_ids, strict=True))
        images = [image_of.get(query, query) for query in ranking.query_ids]
        image = np.unique(images, return_inverse=True)[1]
        return within_risk(cosines, log_odds, relevant, image, risk=fusion.risk, confidence=fusion.confidence)
