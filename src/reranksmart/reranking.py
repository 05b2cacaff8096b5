"""Log-odds of (caption, image) pairs by a cross-encoder: pairs of all queries batched together by length."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from reranksmart.encoding import length_batches, read_ahead
from reranksmart.inputs import CaptionInputs, ImageInputs
from reranksmart.models.interface import CrossEncoder
from reranksmart.progress import progress
from reranksmart.records import Direction, Ranking


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
    lengths = captions.lengths[caption_rows] + images.lengths[image_rows]
    scores = np.empty(len(lengths), dtype=np.float32)
    batches = list(length_batches(lengths, token_budget=token_budget))
    with torch.inference_mode():
        ready = read_ahead(batches, lambda rows: (captions.batch(caption_rows[rows]), images.batch(image_rows[rows])))
        for rows, batch in ready if quiet else progress(ready, what="score pairs (batches)", total=len(batches)):
            scores[rows] = model.score_pairs(*batch).float().cpu().numpy()
    return scores


def score_matrix(
    model: CrossEncoder,
    captions: CaptionInputs,
    images: ImageInputs,
    *,
    token_budget: int = 8192,
    pairs_together: int = 2**20,
) -> NDArray[np.float32]:
    """Log-odds (captions, images) of every caption with every image, a block of captions at a time."""
    count, width = len(captions.lengths), len(images.lengths)
    step = max(1, pairs_together // width)
    scores = np.empty((count, width), dtype=np.float32)
    for start in range(0, count, step):
        block = np.arange(start, min(start + step, count))
        rows = np.repeat(block, width), np.tile(np.arange(width), len(block))
        scores[block] = score_pairs(model, captions, images, *rows, token_budget=token_budget).reshape(-1, width)
    return scores


def score_candidates(
    model: CrossEncoder,
    captions: CaptionInputs,
    images: ImageInputs,
    candidates: Ranking,
    direction: Direction,
    *,
    caption_row_by_id: Mapping[str, int],
    image_row_by_id: Mapping[str, int],
    depth: int,
) -> NDArray[np.float32]:
    """Log-odds (Q, K) of each query with its first ``depth`` candidates, in their order (K <= depth)."""
    depth = min(depth, candidates.depth)
    query_row_by_id, item_row_by_id = direction.pair(caption_row_by_id, image_row_by_id)
    query_rows = np.array([query_row_by_id[id_] for id_ in candidates.query_ids], dtype=np.int64)
    gallery_rows = np.array([item_row_by_id[id_] for id_ in candidates.gallery_ids], dtype=np.int64)
    items = gallery_rows[candidates.items[:, :depth]].ravel()
    caption_rows, image_rows = direction.pair(np.repeat(query_rows, depth), items)
    scores = score_pairs(model, captions, images, caption_rows, image_rows)
    return scores.reshape(-1, depth)
