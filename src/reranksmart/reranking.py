"""Log-odds of (caption, image) pairs by a cross-encoder: pairs of all queries batched together by length."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from reranksmart.encoding import length_batches
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
        for rows in batches if quiet else progress(batches, what="score pairs (batches)", total=len(batches)):
            batch = captions.batch(caption_rows[rows]), images.batch(image_rows[rows])
            scores[rows] = model.score_pairs(*batch).float().cpu().numpy()
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
