"""Equal scores in one order, whoever ranked them: drawn by the names of query and item alone.

What comes of it is the expected measure, up to the noise of the draw: who cannot tell two items apart earns what
guessing earns. Neither the order of the gallery nor the kind of search has a say, as a pessimistic order would need to
know what is relevant, and of items cut off at some depth nobody knows.
"""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_CELLS_AT_ONCE = 2**23


def best_first(
    query_ids: Sequence[str], gallery_ids: Sequence[str], items: NDArray[np.int32], scores: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """``items`` and ``scores`` (Q, K) by falling score, equal scores in the order of their draw."""
    order = np.argsort(-scores, axis=1, kind="stable")
    items, scores = np.take_along_axis(items, order, axis=1), np.take_along_axis(scores, order, axis=1)
    tied = np.flatnonzero((scores[:, 1:] == scores[:, :-1]).any(axis=1))
    step = max(1, _CELLS_AT_ONCE // max(1, scores.shape[1]))
    for start in range(0, len(tied), step):
        rows = tied[start : start + step]
        drawn = _draws([query_ids[row] for row in rows], gallery_ids, items[rows])
        order = np.lexsort((drawn, -scores[rows]), axis=1)
        items[rows] = np.take_along_axis(items[rows], order, axis=1)
    return items, scores


def _draws(query_ids: Sequence[str], gallery_ids: Sequence[str], items: NDArray[np.int32]) -> NDArray[np.uint64]:
    used, place = np.unique(items, return_inverse=True)
    of_item = _numbers([gallery_ids[item] for item in used])[place.reshape(items.shape)]
    return _mixed(_numbers(query_ids)[:, None] ^ of_item)


def _numbers(names: Sequence[str]) -> NDArray[np.uint64]:
    digests = b"".join(blake2b(name.encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014): every bit of it hangs on every bit given."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
