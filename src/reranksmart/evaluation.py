"""How good a ranking is: measures of each query, their means with intervals, and the twin probe.

The field's "Recall@k" is success@k: 1 if any correct item is among the first k. R@1, R@5, R@10, MRR@10, nDCG@10 and
MAP@10 are computed by ir-measures from the first ten items of each query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import ir_measures
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from reranksmart.records import Captions, Direction, Ranking, Relevance
from reranksmart.resampling import image_weights, percentile_interval
from reranksmart.storage import atomic_path

PerQuery = Mapping[Direction, pd.DataFrame]

CUTOFF = 10
MEASURES = ("R@1", "R@5", "R@10", "MRR@10", "nDCG@10", "MAP@10")
RECALLS = ("R@1", "R@5", "R@10")
EXPERIMENT_KEYS = ("backbone", "training_set", "system", "seed", "test_set", "language", "depth", "fusion")
MEASURE_COLUMNS = (
    *EXPERIMENT_KEYS,
    *("direction", "measure", "value", "low", "high", "queries", "images", "pairs_scored"),
)

# The run holds the first ten items only, so the reciprocal rank of the run is MRR@10.
_LIBRARY_MEASURES = {
    "R@1": ir_measures.Success @ 1,
    "R@5": ir_measures.Success @ 5,
    "R@10": ir_measures.Success @ 10,
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
    gallery = len(ranking.gallery_ids)
    true_cells = np.repeat(np.arange(len(ranking)), np.diff(relevant.indptr)) * gallery + relevant.indices
    ranked_cells = np.arange(len(ranking))[:, None] * gallery + ranking.items  # (Q, K)
    hits = np.isin(ranked_cells, true_cells)
    return np.where(hits.any(axis=1), hits.argmax(axis=1) + 1.0, np.inf)


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


def write_per_query(path: Path, per_query: PerQuery) -> None:
    """One csv for both directions: direction, query, image, then the measures."""
    table = pd.concat([frame.reset_index().assign(direction=direction.value) for direction, frame in per_query.items()])
    leading = ["direction", "query", "image"]
    with atomic_path(path) as target:
        table[[*leading, *(name for name in table if name not in leading)]].to_csv(target, index=False)


def read_per_query(path: Path) -> dict[Direction, pd.DataFrame]:
    """What ``write_per_query`` wrote, number for number."""
    table = pd.read_csv(path, dtype=dict.fromkeys(("direction", "query", "image"), str))
    return {
        Direction(direction): frame.drop(columns="direction").set_index("query")
        for direction, frame in table.groupby("direction", sort=False)
    }


def summarise(
    per_query: PerQuery,
    *,
    experiment: Mapping[str, object],
    pairs_scored: Mapping[Direction, int],
    rng: np.random.Generator,
    resamples: int = 1000,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """The rows of one experiment in the long table (``MEASURE_COLUMNS``).

    ``per_query`` comes from ``per_query_measures`` and ``with_images``. Values are means in percent, with the median
    rank beside them; given both directions also ``mR`` (mean of the six recalls) and ``rsum`` (their sum), under
    direction ``both``. Intervals come from a bootstrap over images that both directions share.
    """
    unknown = set(experiment) ^ set(EXPERIMENT_KEYS)
    if unknown:
        raise ValueError(f"experiment keys {sorted(unknown)} are missing or unknown; give {list(EXPERIMENT_KEYS)}")
    images = sorted(set().union(*(frame["image"] for frame in per_query.values())))
    weights = image_weights(len(images), resamples=resamples, rng=rng)
    rows: list[dict[str, object]] = []
    recalls, resampled_recalls = [], []
    for direction, frame in per_query.items():
        code = pd.Index(images).get_indexer(frame["image"])
        counted = weights @ np.bincount(code, minlength=len(images))  # (resamples,) queries in each resample
        shared = {
            "direction": direction.value,
            "queries": len(frame),
            "images": frame["image"].nunique(),
            "pairs_scored": pairs_scored[direction],
        }
        for measure in MEASURES:
            values = frame[measure].to_numpy()
            sums = np.bincount(code, weights=values, minlength=len(images))
            mean, resampled = 100 * values.mean(), 100 * (weights @ sums) / counted
            rows.append(_row(shared, measure, mean, resampled, confidence))
            if measure in RECALLS:
                recalls.append(mean)
                resampled_recalls.append(resampled)
        ranks = frame["rank"].to_numpy()
        rows.append(_row(shared, "median rank", _median(ranks), _resampled_medians(ranks, code, weights), confidence))
    if len(per_query) == len(Direction):
        shared = {
            "direction": "both",
            "queries": sum(len(frame) for frame in per_query.values()),
            "images": len(images),
            "pairs_scored": sum(pairs_scored[direction] for direction in per_query),
        }
        resampled = np.sum(resampled_recalls, axis=0)
        rows.append(_row(shared, "mR", sum(recalls) / len(recalls), resampled / len(recalls), confidence))
        rows.append(_row(shared, "rsum", sum(recalls), resampled, confidence))
    return pd.DataFrame([{**experiment, **row} for row in rows], columns=list(MEASURE_COLUMNS))


def _row(
    shared: Mapping[str, object], measure: str, value: float, resampled: NDArray[np.float64], confidence: float
) -> dict[str, object]:
    low, high = percentile_interval(resampled, confidence=confidence)
    return {**shared, "measure": measure, "value": float(value), "low": low, "high": high}


def _median(ranks: NDArray[np.float64]) -> float:
    middle = np.sort(ranks)[[(len(ranks) - 1) // 2, len(ranks) // 2]]
    return float(middle.mean())


def _resampled_medians(
    ranks: NDArray[np.float64], code: NDArray[np.intp], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The median rank of each resample: the middle of its queries, or the mean of the two middle ones."""
    values, place = np.unique(ranks, return_inverse=True)
    shape = (weights.shape[1], len(values))
    histogram = sparse.coo_array((np.ones(len(ranks)), (code, place)), shape=shape).tocsr()
    below = np.cumsum(weights @ histogram, axis=1)  # (resamples, V): queries ranked up to each value
    total = below[:, -1:]
    lower, upper = (np.argmax(below >= middle, axis=1) for middle in (np.ceil(total / 2), np.floor(total / 2) + 1))
    return (values[lower] + values[upper]) / 2


def require_recall_unchanged(before: Ranking, after: Ranking, *, depth: int) -> None:
    """Raises ValueError unless re-ranking the first ``depth`` items left R@K for every K >= ``depth`` as it was.

    It did if each query has the same items among its first ``depth`` and the same order beyond them. ``after`` may
    end at ``depth``; beyond it, both must rank equally many items.
    """
    if before.query_ids != after.query_ids or before.gallery_ids != after.gallery_ids:
        raise ValueError("the rankings before and after re-ranking are of different queries or galleries")
    if not 1 <= depth <= min(before.depth, after.depth) or after.depth not in (depth, before.depth):
        raise ValueError(
            f"re-ranking at depth {depth} must keep {before.depth} items (or the first {depth}), not {after.depth}"
        )
    same_set = np.all(np.sort(before.items[:, :depth], axis=1) == np.sort(after.items[:, :depth], axis=1), axis=1)
    same_tail = np.all(before.items[:, depth : after.depth] == after.items[:, depth:], axis=1)
    changed = np.flatnonzero(~(same_set & same_tail))
    if len(changed):
        raise ValueError(
            f"re-ranking at depth {depth} changed R@K for K >= {depth}: {len(changed)} of {len(before)} queries have "
            f"other items among their first {depth} or another order below, the first is "
            f"{before.query_ids[changed[0]]!r}. Re-rank with Ranking.rescored."
        )


def twin_of_images(image_ids: Sequence[str]) -> dict[str, str]:
    """Each image's twin, where twins stand side by side: images 0 and 1, 2 and 3, and so on."""
    if len(image_ids) % 2:
        raise ValueError(f"twins come in pairs, got {len(image_ids)} images; the last one has no twin")
    return {image: image_ids[place ^ 1] for place, image in enumerate(image_ids)}


def twin_scores(ranking: Ranking, captions: Captions) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Each caption's score with its own image and with the twin, both (captions,), in the order of ``captions``.

    ``ranking`` is text-to-image over the whole twin gallery, whose images stand side by side with their twins.
    """
    gallery = len(ranking.gallery_ids)
    if ranking.depth != gallery:
        raise ValueError(f"only {ranking.depth} of {gallery} images were ranked; rank the whole twin gallery")
    scores = np.empty((len(ranking), gallery), dtype=np.float32)
    np.put_along_axis(scores, ranking.items, ranking.scores, axis=1)
    query_row = {id_: row for row, id_ in enumerate(ranking.query_ids)}
    gallery_row = {id_: row for row, id_ in enumerate(ranking.gallery_ids)}
    rows = np.array([query_row[caption] for caption in captions.ids])
    own = np.array([gallery_row[image] for image in captions.image_ids])
    return scores[rows, own], scores[rows, own ^ 1]


def twin_accuracy(
    captions: Captions,
    image_ids: Sequence[str],
    *,
    own_scores: NDArray[np.float32],
    twin_scores: NDArray[np.float32],
    experiment: Mapping[str, object],
    rng: np.random.Generator,
    resamples: int = 1000,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Rows of the long table, measure ``twin accuracy`` in percent, where guessing gets 50; a tie counts half.

    Images 0 and 1, 2 and 3, ... of ``image_ids`` are twins: a caption of one is false of the other. Text-to-image asks
    of each caption whether ``own_scores`` (its score with its own image) beats ``twin_scores`` (with the twin), both
    (captions,). Image-to-text asks of each image whether its n-th caption beats the twin's n-th. The interval is a
    bootstrap over pairs of twins. ``pairs_scored`` counts each (caption, image) once.
    """
    twin_of = twin_of_images(image_ids)
    outside = set(captions.image_ids) ^ set(image_ids)
    if outside:
        raise ValueError(f"image {min(outside)!r} has no caption, or is not among the twins")
    rows_of: dict[str, list[int]] = {image: [] for image in image_ids}
    for row, image in enumerate(captions.image_ids):
        rows_of[image].append(row)
    for image, twin in twin_of.items():
        if len(rows_of[image]) != len(rows_of[twin]):
            raise ValueError(
                f"twins {image!r} and {twin!r} have {len(rows_of[image])} and {len(rows_of[twin])} captions; "
                "image-to-text compares them one to one, so give both equally many"
            )
    pair_of_image = {image: place // 2 for place, image in enumerate(image_ids)}
    pair = np.array([pair_of_image[image] for image in captions.image_ids])
    counterpart = np.empty(len(captions), dtype=np.intp)  # the twin's caption with the same number
    for image, twin in twin_of.items():
        counterpart[rows_of[image]] = rows_of[twin]
    right = {
        Direction.TEXT_TO_IMAGE: _wins(own_scores, twin_scores),
        Direction.IMAGE_TO_TEXT: _wins(own_scores, twin_scores[counterpart]),
    }
    right_by_direction = {direction.value: won for direction, won in right.items()}
    right_by_direction["both"] = (right[Direction.TEXT_TO_IMAGE] + right[Direction.IMAGE_TO_TEXT]) / 2
    weights = image_weights(len(image_ids) // 2, resamples=resamples, rng=rng)
    rows = []
    for direction, won in right_by_direction.items():
        shared = {"direction": direction, "queries": len(won), "images": len(image_ids), "pairs_scored": 2 * len(won)}
        resampled = 100 * (weights @ np.bincount(pair, weights=won)) / (weights @ np.bincount(pair))
        rows.append(_row(shared, "twin accuracy", 100 * won.mean(), resampled, confidence))
    return pd.DataFrame([{**experiment, **row} for row in rows], columns=list(MEASURE_COLUMNS))


def _wins(own: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.where(own == other, 0.5, own > other)
