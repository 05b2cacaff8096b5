"""Index types against exact search: recall, build time, bytes a vector, latency, by the size of the gallery.

    python benchmarks/search.py --sizes 10000 100000 1000000 --threads 1

Two kinds of unit vectors: random ones, the worst case, and clustered ones, as embeddings are.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import faiss
import numpy as np
from measuring import provenance, write
from numpy.typing import NDArray

from reranksmart.search import build_index

DEPTH = 10
CLUSTERS = 1000
NOISE = 0.6  # length of what is added to a cluster's centre, which has length 1


def vectors(kind: str, count: int, width: int, *, seed: int) -> NDArray[np.float32]:
    """Unit vectors (count, width): random, or around the centres of 1,000 clusters."""
    rng = np.random.default_rng(seed)
    found = rng.standard_normal((count, width), dtype=np.float32)
    if kind == "clustered":
        centres = np.random.default_rng(0).standard_normal((CLUSTERS, width), dtype=np.float32)
        found *= np.float32(NOISE)
        found += centres[rng.integers(CLUSTERS, size=count)]
    faiss.normalize_L2(found)
    return found


def factories(size: int) -> dict[str, list[dict[str, int]]]:
    """Index types for a gallery of this size, each with the settings of its search."""
    lists = int(2 ** round(np.log2(4 * np.sqrt(size))))
    probes = [{"nprobe": count} for count in (8, 32) if count <= lists]
    return {
        "Flat": [{}],
        "HNSW32": [{"efSearch": breadth} for breadth in (32, 128)],
        f"IVF{lists},Flat": probes,
        f"IVF{lists},PQ32": probes,
    }


def set_up(index: faiss.Index, settings: dict[str, int]) -> None:
    for name, value in settings.items():
        faiss.ParameterSpace().set_index_parameter(index, name, value)


def measured(
    kind: str, size: int, width: int, *, queries: int, most_graph: int, train_vectors: int
) -> list[dict[str, Any]]:
    gallery, asked = vectors(kind, size, width, seed=1), vectors(kind, queries, width, seed=2)
    exact = None
    rows = []
    for factory, searches in factories(size).items():
        if factory.startswith("HNSW") and size > most_graph:
            print(f"{kind} {size:,} {factory}: not built above {most_graph:,} vectors (--most-graph)", flush=True)
            continue
        began, computed = time.perf_counter(), time.process_time()
        if factory.startswith("IVF"):
            index = faiss.index_factory(width, factory, faiss.METRIC_INNER_PRODUCT)
            if isinstance(index, faiss.IndexIVFPQ):
                index.do_polysemous_training = False  # a minute for a reordering of codes that this search never uses
            index.train(gallery[:train_vectors])
            index.add(gallery)
        else:
            index = build_index(gallery, factory=factory)
        built = {"build_seconds": time.perf_counter() - began, "build_computed": time.process_time() - computed}
        held = len(faiss.serialize_index(index)) / size
        for settings in searches:
            set_up(index, settings)
            index.search(asked[:2], DEPTH)
            times, clocks, found = [], [], []
            for row in range(len(asked)):
                at, own = time.perf_counter(), time.process_time()
                found.append(index.search(asked[row : row + 1], DEPTH)[1][0])
                times.append(1000 * (time.perf_counter() - at))
                clocks.append(1000 * (time.process_time() - own))
            if exact is None:
                exact = found
            recall = np.mean([len(set(a) & set(b)) / DEPTH for a, b in zip(found, exact, strict=True)])
            rows.append(
                {"vectors": kind, "size": size, "width": width, "index": factory, "settings": settings}
                | built
                | {"bytes_per_vector": held, "recall_at_10": float(recall), "query_ms": times, "computed_ms": clocks}
            )
            print(f"{kind} {size:,} {factory} {settings}: recall {recall:.3f}, {np.median(clocks):.3f} ms", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--kinds", nargs="+", default=["random", "clustered"], choices=["random", "clustered"])
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--most-graph", type=int, default=1_000_000, help="largest gallery that HNSW is built for")
    parser.add_argument("--train-vectors", type=int, default=100_000, help="vectors that IVF and PQ are trained on")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--name", default="search")
    options = parser.parse_args()
    faiss.omp_set_num_threads(options.threads)
    record = {"what": "index types by size of the gallery", **provenance(threads=options.threads), "rows": []}
    for size in options.sizes:
        for kind in options.kinds:
            record["rows"] += measured(
                kind,
                size,
                options.width,
                queries=options.queries,
                most_graph=options.most_graph,
                train_vectors=options.train_vectors,
            )
            write(options.name, record)


if __name__ == "__main__":
    main()
