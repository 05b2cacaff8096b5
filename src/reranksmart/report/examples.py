"""Queries for the page: what re-ranking mended, what it broke, and what it left, chosen by rule."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reranksmart.files.region_store import RegionStore
from reranksmart.values.records import Captions, Direction, Ranking, Relevance

SHOWN = 4  # items of each list
_KINDS = (
    ("re-ranking put a right picture first", False, True, 3),
    ("re-ranking put a wrong picture first", True, False, 1),
    ("wrong before and after", False, False, 1),
    ("right before and after", True, True, 1),
)


def choose_examples(
    candidates: Ranking,
    log_odds: NDArray[np.float32],
    *,
    captions: Captions,
    relevance: Relevance,
    regions: RegionStore | None,
    pictures: dict[str, Path],
    seed: int,
) -> list[dict[str, Any]]:
    """Text-to-image queries with their first items before and after re-ranking, as ``pictures.example`` reads them.

    Without ``regions`` pictures are shown without boxes; an image that is not among ``pictures`` is shown by its id.
    Of each kind (mended, broken, wrong twice, right twice) a few, drawn by ``seed`` among all queries of the kind.
    """
    reranked = candidates.rescored(log_odds)
    right = relevance.items_by_query(Direction.TEXT_TO_IMAGE)
    first = [
        np.array([ranking.item_ids(row)[0] in right[query] for row, query in enumerate(ranking.query_ids)])
        for ranking in (candidates, reranked)
    ]
    rng = np.random.default_rng(seed)
    text_of = dict(zip(captions.ids, captions.texts, strict=True))
    found = []
    for what, before, after, count in _KINDS:
        rows = np.flatnonzero((first[0] == before) & (first[1] == after))
        for row in rng.permutation(rows)[:count].tolist():
            query = candidates.query_ids[row]
            found.append(
                {
                    "query": text_of[query],
                    "note": f"{what}: one of {len(rows):,} such queries of {len(candidates):,}",
                    "before_label": "retriever (cosine)",
                    "after_label": "re-ranked (log-odds)",
                    "before": _items(candidates, row, right[query], regions, pictures),
                    "after": _items(reranked, row, right[query], regions, pictures),
                }
            )
    return found


def _items(
    ranking: Ranking,
    row: int,
    right: Sequence[str] | frozenset[str],
    regions: RegionStore | None,
    pictures: dict[str, Path],
) -> list[dict[str, Any]]:
    return [
        {
            **({"image": str(pictures[item]), "boxes": _boxes(regions, item)} if item in pictures else {"text": item}),
            "score": float(score),
            "relevant": item in right,
        }
        for item, score in zip(ranking.item_ids(row)[:SHOWN], ranking.scores[row], strict=False)
    ]


def _boxes(regions: RegionStore | None, image_id: str) -> list[list[float]]:
    return regions[regions.row_by_id[image_id]].boxes.tolist() if regions is not None else []
