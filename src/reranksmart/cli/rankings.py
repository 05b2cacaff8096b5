"""The final rankings of a system: what was retrieved, re-ranked at a depth and fused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from reranksmart import evaluation
from reranksmart.config import Fusion
from reranksmart.files.storage import read_json, read_pair_scores, read_ranking
from reranksmart.ranking.fusion import fuse
from reranksmart.values.records import Direction, Ranking

Resamples = Annotated[int, typer.Option(min=1, help="draws")]


def combinations_of(depths: str, fusions: str) -> list[tuple[int, Fusion]]:
    """Every depth with every fusion; ``depths`` are separated by commas, empty without re-ranking, ``fusions`` JSON."""
    found = [(int(k), Fusion(**fusion)) for k in filter(None, depths.split(",")) for fusion in json.loads(fusions)]
    return found or [(0, Fusion())]


@dataclass(frozen=True)
class RankedGallery:
    """A folder of rankings, and of a reranker's log-odds of their first items."""

    folder: Path
    pair_scores: Path | None

    def ranking(self, language: str, way: Direction, depth: int, fusion: Fusion) -> tuple[Ranking, int]:
        """The final ranking, and how many pairs were scored for it."""
        before = read_ranking(self.folder / f"{language}.{way}.npz")
        if self.pair_scores:
            after = _reranked(before, self.pair_scores / f"{language}.{way}.npy", depth, fusion)
            return after, len(before) * min(depth, before.depth)
        return before, before.items.size if _is_exhaustive(self.folder) else 0


def _is_exhaustive(ranking: Path) -> bool:
    return read_json(ranking / "provenance.json")["verb"] == "score-all"


def _reranked(candidates: Ranking, scores: Path, depth: int, fusion: Fusion) -> Ranking:
    log_odds = read_pair_scores(scores)[:, :depth]
    most = min(depth, len(candidates.gallery_ids))
    if log_odds.shape != (len(candidates), most) or candidates.depth < most:
        raise ValueError(
            f"{scores} holds log-odds {log_odds.shape} (queries, candidates); depth {depth} needs {(len(candidates), most)} "
            f"and as many candidates of {candidates.depth}. Measure a depth that was scored, or score the candidates deeper."
        )
    fused = fuse(fusion.method, candidates.scores[:, : log_odds.shape[1]], log_odds, weight=fusion.weight)
    after = candidates.rescored(fused)
    evaluation.require_recall_unchanged(candidates, after, depth=fused.shape[1])
    return after
