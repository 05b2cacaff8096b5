"""What the verbs that run a model write: the whole result, or one job's share of it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reranksmart.files.storage import write_embeddings, write_pair_scores, write_ranking, write_share
from reranksmart.values.records import Direction, Embeddings, Ranking
from reranksmart.values.shards import WHOLE, Shard, Share, joined


def keep_vectors(path: Path, ids: Sequence[str], shares: Sequence[Share], job: Shard = WHOLE) -> None:
    """Writes the embeddings of ``ids``, or the one share of a job."""
    if job.is_whole:
        write_embeddings(path, Embeddings(tuple(ids), joined(shares)))
    else:
        write_share(path, *shares)


def keep_scores(folder: Path, name: str, queries: int, shares: Sequence[Share], job: Shard = WHOLE) -> None:
    """Writes the log-odds (Q, K) of each query's candidates, or the one share of a job."""
    if job.is_whole:
        write_pair_scores(folder / f"{name}.npy", joined(shares).reshape(queries, -1))
    else:
        write_share(folder / f"{name}.npz", *shares)


def keep_rankings(
    folder: Path,
    language: str,
    caption_ids: Sequence[str],
    image_ids: Sequence[str],
    shares: Sequence[Share],
    job: Shard = WHOLE,
) -> None:
    """Writes both directions' rankings by the log-odds of all pairs, or the one share of a job."""
    if not job.is_whole:
        write_share(folder / f"{language}.npz", *shares)
        return
    matrix = joined(shares).reshape(len(caption_ids), -1)
    for direction, rows in ((Direction.TEXT_TO_IMAGE, matrix), (Direction.IMAGE_TO_TEXT, matrix.T)):
        query_ids, gallery_ids = direction.pair(tuple(caption_ids), tuple(image_ids))
        items = np.broadcast_to(np.arange(rows.shape[1], dtype=np.int32), rows.shape)
        write_ranking(folder / f"{language}.{direction}.npz", Ranking(query_ids, gallery_ids, items, rows))
