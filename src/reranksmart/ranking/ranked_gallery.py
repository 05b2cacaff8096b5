"""The final rankings of a system: what was retrieved, re-ranked at a depth and fused."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reranksmart.config.experiments import Fusion
from reranksmart.evaluation.cooperation import require_recall_unchanged
from reranksmart.evaluation.per_query import relevant_items
from reranksmart.files.storage import read_pair_scores, read_ranking
from reranksmart.ranking.calibration import Calibration, Scores
from reranksmart.ranking.fusion import fuse
from reranksmart.values.records import Direction, Ranking, Relevance


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
        before, scores = self.candidates(language, way, depth)
        if not self.pair_scores:
            return before, before.items.size if self.exhaustive else 0
        cosines = before.scores[:, : scores.shape[1]]
        if calibration:
            fused, pairs = calibration.scores(cosines, scores), int(calibration.pairs(cosines).sum())
        else:
            fused, pairs = fuse(fusion.method, cosines, scores, weight=fusion.weight), cosines.size
        after = before.rescored(fused)
        require_recall_unchanged(before, after, depth=fused.shape[1])
        return after, pairs

    def candidates(self, language: str, way: Direction, depth: int) -> tuple[Ranking, Scores]:
        """What was retrieved, and the scores (Q, k) that decide on each query's first candidates: their log-odds, or the
        cosines where nothing re-ranks."""
        before = read_ranking(self.folder / f"{language}.{way}.npz")
        if not self.pair_scores:
            return before, before.scores[:, :depth]
        path = self.pair_scores / f"{language}.{way}.npy"
        log_odds = read_pair_scores(path)[:, :depth]
        most = min(depth, len(before.gallery_ids))
        if log_odds.shape != (len(before), most) or before.depth < most:
            raise ValueError(
                f"{path} holds log-odds {log_odds.shape} (queries, candidates); depth {depth} needs {(len(before), most)} "
                f"and as many candidates of {before.depth}. Measure a depth that was scored, or score the candidates deeper."
            )
        return before, log_odds

    def judged(
        self, relevance: Relevance, language: str, way: Direction, depth: int
    ) -> tuple[Ranking, Scores, NDArray[np.bool_]]:
        """``candidates``, and which (Q, k) of them are right."""
        found, scores = self.candidates(language, way, depth)
        return found, scores, relevant_items(found, relevance, way)[:, : scores.shape[1]]
