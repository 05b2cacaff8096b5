"""Log-odds of (caption, image) pairs by a cross-encoder: pairs of all queries batched together by length."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from reranksmart.inputs.stored import CaptionInputs, ImageInputs
from reranksmart.models.interface import CrossEncoder, ImageMajor
from reranksmart.ranking.encoding import length_batches, read_ahead
from reranksmart.run.progress import progress
from reranksmart.values.records import Direction, Ranking
from reranksmart.values.shards import WHOLE, Shard, Share, joined


def image_batches(
    lengths: NDArray[np.integer], image_rows: NDArray[np.integer], *, together: int = 32
) -> Iterator[NDArray[np.int64]]:
    """Pairs of one image at a time, in order of length, at most so many ``together``."""
    order = np.lexsort((lengths, image_rows))
    for of_image in np.split(order, np.flatnonzero(np.diff(image_rows[order])) + 1):
        yield from np.array_split(of_image, -(-len(of_image) // together))


def score_pairs(
    model: CrossEncoder,
    captions: CaptionInputs,
    images: ImageInputs,
    caption_rows: NDArray[np.integer],
    image_rows: NDArray[np.integer],
    *,
    token_budget: int = 8192,
    quiet: bool = False,
) -> NDArray[np.float32]:
    """Log-odds (P,) float32 that caption ``caption_rows[p]`` matches image ``image_rows[p]``."""
    pairs = caption_rows, image_rows
    return joined([share_of_pairs(model, captions, images, *pairs, token_budget=token_budget, quiet=quiet)])


def share_of_pairs(
    model: CrossEncoder,
    captions: CaptionInputs,
    images: ImageInputs,
    caption_rows: NDArray[np.integer],
    image_rows: NDArray[np.integer],
    *,
    shard: Shard = WHOLE,
    token_budget: int = 8192,
    quiet: bool = False,
) -> Share:
    """Log-odds (n,) of one job's pairs; its rows are numbers of pairs."""
    lengths = captions.lengths[caption_rows] + images.lengths[image_rows]
    if isinstance(model, ImageMajor) and model.image_major:
        batches = shard.of(list(image_batches(lengths, image_rows)))
    else:
        batches = shard.of(list(length_batches(lengths, token_budget=token_budget)))
    scores = []
    with torch.inference_mode():
        ready = read_ahead(batches, lambda rows: (captions.batch(caption_rows[rows]), images.batch(image_rows[rows])))
        for _, batch in ready if quiet else progress(ready, what="score pairs (batches)", total=len(batches)):
            scores.append(model.score_pairs(*batch).float().cpu().numpy())
    return Share.of_batches(batches, scores, total=len(lengths))


def score_matrix(
    model: CrossEncoder, captions: CaptionInputs, images: ImageInputs, *, pairs_together: int = 2**20
) -> NDArray[np.float32]:
    """Log-odds (captions, images) of every caption with every image."""
    share = share_of_matrix(model, captions, images, pairs_together=pairs_together)
    return joined([share]).reshape(len(captions.lengths), -1)


def share_of_matrix(
    model: CrossEncoder,
    captions: CaptionInputs,
    images: ImageInputs,
    *,
    shard: Shard = WHOLE,
    token_budget: int = 8192,
    pairs_together: int = 2**20,
) -> Share:
    """Log-odds (n,) of one job's pairs of every caption with every image, a block of captions at a time.

    The pair of caption c and image i is row c * images + i: ``joined(...).reshape(captions, images)``.
    """
    count, width = len(captions.lengths), len(images.lengths)
    step = max(1, pairs_together // width)
    rows, values = [], []
    for start in range(0, count, step):
        block = np.arange(start, min(start + step, count))
        pairs = np.repeat(block, width), np.tile(np.arange(width), len(block))
        share = share_of_pairs(model, captions, images, *pairs, shard=shard, token_budget=token_budget)
        rows.append(start * width + share.rows)
        values.append(share.values)
    return Share.of_batches(rows, values, total=count * width)


def share_of_candidates(
    model: CrossEncoder,
    captions: CaptionInputs,
    images: ImageInputs,
    candidates: Ranking,
    direction: Direction,
    *,
    caption_row_by_id: Mapping[str, int],
    image_row_by_id: Mapping[str, int],
    depth: int,
    shard: Shard = WHOLE,
) -> Share:
    """Log-odds (n,) of one job's pairs of each query with its first K <= ``depth`` candidates, in their order.

    The pair of query q and its candidate k is row q * K + k: ``joined(...).reshape(queries, -1)``.
    """
    depth = min(depth, candidates.depth)
    query_rows, gallery_rows = rows_of(candidates, direction, caption_row_by_id, image_row_by_id)
    items = gallery_rows[candidates.items[:, :depth]].ravel()
    pairs = direction.pair(np.repeat(query_rows, depth), items)
    return share_of_pairs(model, captions, images, *pairs, shard=shard)


def rows_of(
    candidates: Ranking, direction: Direction, caption_row_by_id: Mapping[str, int], image_row_by_id: Mapping[str, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of a ranking's queries (Q,) and of its gallery's items (G,) among the captions or images."""
    query_row, item_row = direction.pair(caption_row_by_id, image_row_by_id)
    queries = [query_row[id_] for id_ in candidates.query_ids]
    return np.array(queries, np.int64), np.array([item_row[id_] for id_ in candidates.gallery_ids], np.int64)
