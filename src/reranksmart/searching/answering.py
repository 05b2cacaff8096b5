"""Two stages, three clocks: nearest items of each query, log-odds of the first of them, and both orders."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from reranksmart.ranking.absence import Absence
from reranksmart.ranking.search import retrieve
from reranksmart.searching.results import Hit, Query, Results
from reranksmart.values.records import Embeddings, Ranking

Rows = NDArray[np.integer]
Score = Callable[[Rows, Sequence[str], Rows], NDArray[np.float32]]
"""Log-odds (P,) of queries (P,) with items (P,), which index the ids given between them."""

Show = Callable[[str], tuple[Path, str | None]]
"""The picture of an item, and its text if it is a caption."""


@contextmanager
def clock(times: dict[str, float], stage: str) -> Iterator[None]:
    """Keeps the milliseconds that the block takes."""
    began = time.perf_counter()
    yield
    times[stage] = 1000 * (time.perf_counter() - began)


def answer(
    queries: Sequence[Query],
    vectors: Embeddings,
    item_ids: Sequence[str],
    index: faiss.Index,
    *,
    score: Score,
    show: Show,
    times: dict[str, float],
    absence: Absence | None = None,
) -> list[Results]:
    """The results of queries of one direction; the pairs of all of them are scored together."""
    with clock(times, "search"):
        found = retrieve(vectors, item_ids, index, depth=max(max(query.depth, query.top) for query in queries))
    rankings = [_row(found, row, query) for row, query in enumerate(queries)]
    judged = [ranking.item_ids(0)[: query.depth] for query, ranking in zip(queries, rankings, strict=True)]
    items = list(dict.fromkeys(id_ for ids in judged for id_ in ids))
    row_by_id = {id_: row for row, id_ in enumerate(items)}
    with clock(times, "score pairs"):
        query_rows = np.repeat(np.arange(len(queries)), [len(ids) for ids in judged])
        log_odds = score(query_rows, items, np.array([row_by_id[id_] for ids in judged for id_ in ids]))
    scores = np.split(log_odds, np.cumsum([len(ids) for ids in judged])[:-1])
    return [
        _results(query, ranking, own, show=show, times=times, batch_size=len(queries), absence=absence)
        for query, ranking, own in zip(queries, rankings, scores, strict=True)
    ]


def _row(found: Ranking, row: int, query: Query) -> Ranking:
    """The ranking of one query, as deep as it asks for."""
    depth = max(query.depth, query.top)
    span = (slice(row, row + 1), slice(depth))
    return Ranking((found.query_ids[row],), found.gallery_ids, found.items[span], found.scores[span])


def _results(
    query: Query,
    ranking: Ranking,
    log_odds: NDArray[np.float32],
    *,
    show: Show,
    times: dict[str, float],
    batch_size: int,
    absence: Absence | None,
) -> Results:
    best = log_odds.max()
    order = ranking.rescored(log_odds[None]).item_ids(0)
    rank_by_id = {id_: rank for rank, id_ in enumerate(order, start=1)}
    hit_by_id = {}
    for place, id_ in enumerate(ranking.item_ids(0)):
        picture, text = show(id_)
        hit_by_id[id_] = Hit(
            id=id_,
            picture=picture,
            text=text,
            retrieved_rank=place + 1,
            rank=rank_by_id[id_],
            cosine=float(ranking.scores[0, place]),
            log_odds=float(log_odds[place]) if place < len(log_odds) else None,
            deleted=not picture.exists(),
        )
    return Results(
        direction=query.asks,
        depth=len(log_odds),
        retrieved=tuple(hit_by_id.values())[: query.top],
        reranked=tuple(hit_by_id[id_] for id_ in order[: query.top]),
        times_ms=times,
        batch_size=batch_size,
        nothing_matches=bool(absence.nothing_matches(best, false_alarms=query.false_alarms)) if absence else None,
        probability=float(absence.probability(best)) if absence else None,
    )
