"""What kinds of index cost and lose: recall of the exact neighbours, build time, bytes and search time."""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from reranksmart.cost.latency import milliseconds
from reranksmart.ranking.search import build_index, search

DEPTH = 10


def index_costs(
    gallery: NDArray[np.float32], queries: NDArray[np.float32], *, factories: Sequence[str], repeats: int
) -> Iterator[dict[str, Any]]:
    """One row an index: recall of the exact top ten, build time, bytes a vector, median time of one query."""
    exact, _ = search(build_index(gallery), queries, depth=DEPTH)
    for factory in factories:
        began = time.perf_counter()
        index = build_index(gallery, factory=factory)
        build_seconds = time.perf_counter() - began
        found, _ = search(index, queries, depth=DEPTH)
        overlap = [len(set(a) & set(b)) for a, b in zip(found.tolist(), exact.tolist(), strict=True)]
        asked = (queries[row : row + 1] for row in range(min(repeats, len(queries))))
        times = [milliseconds(partial(search, index, query, depth=DEPTH)) for query in asked]
        yield {
            "index": factory,
            "gallery_size": len(gallery),
            "queries": len(queries),
            f"recall_at_{DEPTH}": float(np.mean(overlap)) / DEPTH,
            "build_seconds": build_seconds,
            "bytes_per_vector": len(faiss.serialize_index(index)) / len(gallery),
            "search_ms": float(np.median(times)),
        }
