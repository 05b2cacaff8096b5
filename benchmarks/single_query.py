"""One query alone against the whole gallery: `search`, against faiss left to all threads, by the size of the gallery.

    python benchmarks/single_query.py --threads 2

After each search a small matrix is multiplied, as a model does next: threads that still wait for one another delay it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

import faiss
import numpy as np
import torch
from measuring import interleaved, provenance, times_as_fast, write
from numpy.typing import NDArray

from reranksmart.ranking.search import build_index, search

ALL_THREADS, OURS = "faiss on all threads", "search"
DEPTH = 20


def unit_vectors(count: int, width: int, seed: int) -> NDArray[np.float32]:
    found = np.random.default_rng(seed).standard_normal((count, width), dtype=np.float32)
    faiss.normalize_L2(found)
    return found


def actions(index: faiss.Index, query: NDArray[np.float32]) -> dict[str, Callable[[], object]]:
    matrix = torch.ones(256, 256)

    def then_multiply(asked: Callable[[], object]) -> None:
        asked()
        matrix @ matrix

    asked = {
        ALL_THREADS: partial(index.search, query, DEPTH),
        OURS: partial(search, index, query, depth=DEPTH),
    }
    return {name: partial(then_multiply, one) for name, one in asked.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    faiss.omp_set_num_threads(options.threads)
    record = {"what": "one query alone", **provenance(threads=options.threads), "width": options.width, "sizes": {}}
    query = unit_vectors(1, options.width, 1)
    for size in options.sizes:
        compared = actions(build_index(unit_vectors(size, options.width, 0)), query)
        for warm_up in compared.values():
            warm_up()
        times = interleaved(compared, repeats=options.repeats)
        record["sizes"][str(size)] = {"seconds": times, "times_as_fast": times_as_fast(times, ALL_THREADS)}
        write("single_query", record)


if __name__ == "__main__":
    main()
