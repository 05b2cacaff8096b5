"""What re-ranking must leave as it was."""

import numpy as np

from reranksmart.values.records import Ranking


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
