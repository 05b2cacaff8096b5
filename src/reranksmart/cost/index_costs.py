"""What kinds of index cost and lose: recall of the exact neighbours, build time, bytes and search time."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from reranksmart.cost.latency import milliseconds
from reranksmart.ranking.search import build_index, search


def index_costs(
    gallery: NDArray[np.float32],
    queries: NDArray[np.float32],
    *,
    factories: Sequence[str],
    repeats: int,
    depth: int = 10,
) -> Iterator[dict[str, Any]]:
    """One row an index: recall of the exact top ``depth``, build time, bytes a vector, median time of one query."""
    exact, _ = search(build_index(gallery), queries, depth=depth)
    for factory in factories:
        began = time.perf_counter()
        index = build_index(gallery, factory=factory)
        build_seconds = time.perf_counter() - began
        found, _ = search(index, queries, depth=depth)
        overlap = [len(set(a) & set(b)) for a, b in zip(found.tolist(), exact.tolist(), strict=True)]
        times = [_search_time(index, queries[row : row + 1], depth) for row in range(min(repeats, len(queries)))]
        yield {
            "index": factory,
            "gallery_size": len(gallery),
            "queries": len(queries),
            f"recall_at_{depth}": float(np.mean(overlap)) / depth,
            "build_seconds": build_seconds,
            "bytes_per_vector": len(faiss.serialize_index(index)) / len(gallery),
            "search_ms": float(np.median(times)),
        }


def _search_time(index: faiss.Index, query: NDArray[np.float32], depth: int) -> float:
    return milliseconds(lambda: search(index, query, depth=depth))
