"""How good a ranking is for each query.

The field's "Recall@k" is success@k: 1 if any correct item is among the first k. R@1, R@5, R@10, MRR@10, nDCG@10 and
MAP@10 are computed by ir-measures from the first ten items of each query.
"""

from collections.abc import Sequence
from pathlib import Path

import ir_measures
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from reranksmart.evaluation.resampling import PerQuery
from reranksmart.files.reading import reading
from reranksmart.files.writing import atomic_path
from reranksmart.values.recalls import CUTOFFS, RECALLS
from reranksmart.values.records import Captions, Direction, Ranking, Relevance

CUTOFF = max(CUTOFFS)

# The run holds the first ten items only, so the reciprocal rank of the run is MRR@10.
_LIBRARY_MEASURES = {
    **{name: ir_measures.Success @ cutoff for name, cutoff in zip(RECALLS, CUTOFFS, strict=True)},
    "MRR@10": ir_measures.RR,
    "nDCG@10": ir_measures.nDCG @ 10,
    "MAP@10": ir_measures.AP @ 10,
}


def per_query_measures(ranking: Ranking, relevance: Relevance, direction: Direction) -> pd.DataFrame:
    """One row a query (index ``query``): the columns of ``MEASURES`` in 0..1, and ``rank`` of the first relevant item.

    ``rank`` counts from 1 and is infinite where no relevant item was ranked. MAP@10 divides by min(10, relevant
    items). Only relevant items inside the gallery count. Raises ValueError where a query has none, or where fewer
    items were ranked than R@10 needs.
    """
    if ranking.depth < min(CUTOFF, len(ranking.gallery_ids)):
        raise ValueError(
            f"{ranking.depth} items were ranked of a gallery of {len(ranking.gallery_ids)}; R@{CUTOFF} needs the first "
            f"{CUTOFF}. Keep the retriever's items below the re-ranked ones."
        )
    relevant = _relevant_cells(ranking, relevance, direction)  # (Q, G) sparse
    counts = np.diff(relevant.indptr)
    if not counts.all():
        missing = [ranking.query_ids[row] for row in np.flatnonzero(counts == 0)]
        raise ValueError(
            f"{len(missing)} of {len(ranking)} {direction} queries have no relevant item in the gallery, the first is "
            f"{missing[0]!r}. Give each query a relevant item or leave the query out."
        )
    frame = _library_measures(ranking, relevant)
    frame["MAP@10"] *= counts / np.minimum(counts, CUTOFF)
    frame["rank"] = _first_relevant_rank(ranking, relevant)
    return frame


def relevant_items(ranking: Ranking, relevance: Relevance, direction: Direction) -> NDArray[np.bool_]:
    """Whether each ranked item (Q, K) is relevant to its query."""
    return _hits(ranking, _relevant_cells(ranking, relevance, direction))


def _relevant_cells(ranking: Ranking, relevance: Relevance, direction: Direction) -> sparse.csr_array:
    """(Q, G) with a stored cell for each relevant (query, gallery item) pair; columns sorted within a row."""
    query_row = {id_: row for row, id_ in enumerate(ranking.query_ids)}
    gallery_row = {id_: row for row, id_ in enumerate(ranking.gallery_ids)}
    queries, items = direction.pair(relevance.caption_ids, relevance.image_ids)
    cells = {
        (query_row[query], gallery_row[item])
        for query, item in zip(queries, items, strict=True)
        if query in query_row and item in gallery_row
    }
    rows, columns = np.array(sorted(cells), dtype=np.int64).reshape(-1, 2).T
    shape = (len(ranking), len(ranking.gallery_ids))
    return sparse.csr_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=shape)


def _library_measures(ranking: Ranking, relevant: sparse.csr_array) -> pd.DataFrame:
    # Queries and items are named by their rows: the same names for every run, and short ones.
    names = [str(row) for row in range(max(relevant.shape))]
    top = ranking.items[:, :CUTOFF].tolist()
    falling = [float(score) for score in range(CUTOFF, 0, -1)]  # the library breaks ties by name: give it none
    run = {
        names[row]: dict(zip([names[item] for item in items], falling[: len(items)], strict=True))
        for row, items in enumerate(top)
    }
    starts, columns = relevant.indptr.tolist(), relevant.indices.tolist()
    qrels = {
        names[row]: {names[item]: 1 for item in columns[starts[row] : starts[row + 1]]} for row in range(len(ranking))
    }
    column = {measure: place for place, measure in enumerate(_LIBRARY_MEASURES.values())}
    values = np.full((len(ranking), len(column)), np.nan)
    for metric in ir_measures.iter_calc(list(column), qrels, run):
        values[int(metric.query_id), column[metric.measure]] = metric.value
    return pd.DataFrame(values, index=pd.Index(ranking.query_ids, name="query"), columns=list(_LIBRARY_MEASURES))


def _first_relevant_rank(ranking: Ranking, relevant: sparse.csr_array) -> NDArray[np.float64]:
    hits = _hits(ranking, relevant)
    return np.where(hits.any(axis=1), hits.argmax(axis=1) + 1.0, np.inf)


def _hits(ranking: Ranking, relevant: sparse.csr_array) -> NDArray[np.bool_]:
    gallery = len(ranking.gallery_ids)
    true_cells = np.repeat(np.arange(len(ranking)), np.diff(relevant.indptr)) * gallery + relevant.indices
    ranked_cells = np.arange(len(ranking))[:, None] * gallery + ranking.items  # (Q, K)
    return np.isin(ranked_cells, true_cells)


def with_images(per_query: pd.DataFrame, captions: Captions, direction: Direction) -> pd.DataFrame:
    """The frame with a first column ``image``: the image that each query is, or that its caption was written for."""
    image_of_caption = dict(zip(captions.ids, captions.image_ids, strict=True))
    image_of = image_of_caption if direction is Direction.TEXT_TO_IMAGE else {id_: id_ for id_ in captions.image_ids}
    unknown = [query for query in per_query.index if query not in image_of]
    if unknown:
        raise ValueError(f"{direction} query {unknown[0]!r} is not among the {len(captions)} captions given")
    framed = per_query.copy()
    framed.insert(0, "image", [image_of[query] for query in per_query.index])
    return framed


def require_every_query(ranking: Ranking, captions: Captions, direction: Direction) -> None:
    """Raises ValueError unless ``captions``, or the images that they describe, are what was asked."""
    asked = captions.ids if direction is Direction.TEXT_TO_IMAGE else tuple(dict.fromkeys(captions.image_ids))
    left_out = sorted(set(asked) - set(ranking.query_ids))
    if left_out:
        raise ValueError(
            f"the ranking lacks {len(left_out):,} of {len(asked):,} {direction} queries, the first is {left_out[0]!r}: their "
            "measures would be missing from the mean. Rank every query, or take the unranked ones out of the data."
        )


def joined_folds(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The values of all folds' queries; ValueError where a query stands in two of them."""
    joined = pd.concat(frames)
    twice = joined.index[joined.index.duplicated()]
    if len(twice):
        raise ValueError(f"query {twice[0]!r} is in two folds: it would count twice. Give each fold once.")
    return joined


def write_per_query(path: Path, per_query: PerQuery) -> None:
    """One csv for both directions: direction, query, image, then the measures."""
    table = pd.concat([frame.reset_index().assign(direction=direction.value) for direction, frame in per_query.items()])
    leading = ["direction", "query", "image"]
    with atomic_path(path) as target:
        table[[*leading, *(name for name in table if name not in leading)]].to_csv(target, index=False)


def read_per_query(path: Path) -> dict[Direction, pd.DataFrame]:
    """What ``write_per_query`` wrote, number for number; ValueError where the file is damaged."""
    leading = ("direction", "query", "image")
    with reading(path, remedy="Delete its folder; rule evaluate makes it again."):
        table = pd.read_csv(path, dtype=dict.fromkeys(leading, str), na_filter=False)  # "NA" is an id as any other
        measures = table.drop(columns=list(leading))
        numbers = measures.dtypes.map(pd.api.types.is_numeric_dtype).all() and not measures.isna().any(axis=None)
        if table[list(leading)].eq("").any(axis=None) or not numbers:
            raise ValueError("a query has no direction, id or image, or a measure that is no number")
        return {
            Direction(direction): frame.drop(columns="direction").set_index("query")
            for direction, frame in table.groupby("direction", sort=False)
        }
