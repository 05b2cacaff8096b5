"""Queries for the page: what re-ranking mended, what it broke, and what it left, chosen by rule."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reranksmart.files.region_store import RegionStore
from reranksmart.report.pictures import Answer, Example, Picture, picture
from reranksmart.values.records import Captions, Direction, Ranking, Relevance

SHOWN = 6  # items of each list
_KINDS = (
    ("re-ranking put a right answer first", False, True),
    ("re-ranking put a wrong answer first", True, False),
    ("wrong before and after", False, False),
    ("right before and after", True, True),
)
_COUNTS = {Direction.TEXT_TO_IMAGE: (3, 1, 1, 1), Direction.IMAGE_TO_TEXT: (1, 0, 0, 0)}


def choose_examples(
    candidates: Ranking,
    log_odds: NDArray[np.float32],
    direction: Direction,
    *,
    captions: Captions,
    relevance: Relevance,
    regions: RegionStore | None,
    pictures: dict[str, Path],
    seed: int,
) -> list[Example]:
    """Queries with their first items before and after re-ranking.

    Without ``regions`` pictures are shown without boxes; an image that is not among ``pictures`` is shown by its id. Of
    each kind (mended, broken, wrong twice, right twice) a few, drawn by ``seed`` among all queries of the kind.
    """
    reranked = candidates.rescored(log_odds)
    right = relevance.items_by_query(direction)
    first = [
        np.array([ranking.item_ids(row)[0] in right[query] for row, query in enumerate(ranking.query_ids)])
        for ranking in (candidates, reranked)
    ]
    rng = np.random.default_rng(seed)
    texts = dict(zip(captions.ids, captions.texts, strict=True))
    found = []
    for (what, before, after), count in zip(_KINDS, _COUNTS[direction], strict=True):
        rows = np.flatnonzero((first[0] == before) & (first[1] == after))
        drawn = rng.permutation(rows).tolist()
        apart = {
            right[candidates.query_ids[row]]: row for row in reversed(drawn)
        }  # of one right answer one query alone
        for row in sorted(apart.values(), key=drawn.index)[:count]:
            query = candidates.query_ids[row]
            ranks = [_right_rank(ranking, row, right[query]) for ranking in (candidates, reranked)]
            text, shown = _shown(query, texts, regions, pictures)
            told = f"{what[:1].upper()}{what[1:]}: one of {len(rows):,} such queries of {len(candidates):,}."
            found.append(
                Example(
                    text or "Which captions describe this picture?",
                    _answers(candidates, row, right[query], texts, regions, pictures),
                    _answers(reranked, row, right[query], texts, regions, pictures),
                    query_picture=shown,
                    note=f"Right answer: {_moved(*ranks)}. {told}",
                )
            )
    return found


def _right_rank(ranking: Ranking, row: int, right: frozenset[str]) -> int | None:
    """The rank of the first right item, from 1; None where none was ranked."""
    return next((rank for rank, item in enumerate(ranking.item_ids(row), start=1) if item in right), None)


def _moved(before: int | None, after: int | None) -> str:
    if before is None or after is None:
        return "not among the candidates"
    return f"rank {before} to {after}" if before != after else f"rank {before} before and after"


def _answers(
    ranking: Ranking,
    row: int,
    right: frozenset[str],
    texts: Mapping[str, str],
    regions: RegionStore | None,
    pictures: dict[str, Path],
) -> tuple[Answer, ...]:
    """The first items; the last of them gives way to the first right one where that stands below."""
    items = list(ranking.item_ids(row))
    ranks = list(range(1, min(SHOWN, len(items)) + 1))
    best = _right_rank(ranking, row, right)
    if best and best > len(ranks):
        ranks[-1] = best
    found = []
    for rank in ranks:
        item = items[rank - 1]
        text, shown = _shown(item, texts, regions, pictures)
        found.append(Answer(rank, float(ranking.scores[row][rank - 1]), item in right, shown, text))
    return tuple(found)


def _shown(
    name: str, texts: Mapping[str, str], regions: RegionStore | None, pictures: dict[str, Path]
) -> tuple[str, Picture | None]:
    """A caption's text, or an image's picture with its boxes; its id where there is no picture."""
    if name in texts or name not in pictures:
        return texts.get(name, name), None
    boxes = regions[regions.row_by_id[name]].boxes.tolist() if regions is not None else []
    return "", picture(pictures[name], boxes)
