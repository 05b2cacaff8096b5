"""Index types against exact search: recall, build time, bytes a vector, latency, by the size of the gallery.

    python benchmarks/search.py --sizes 10000 100000 1000000 10000000 --threads 1

Two kinds of unit vectors: random ones, the worst case, and clustered ones, as embeddings are. The gallery is drawn in
blocks and never held whole, so that an index is the only thing that must fit into memory; lists "on disk" are
memory-mapped and need not.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from faiss.contrib.ondisk import merge_ondisk
from measuring import provenance, write
from numpy.typing import NDArray

DEPTH = 10
CLUSTERS = 1000
NOISE = 0.6  # length of what is added to a cluster's centre, which has length 1
BLOCK = 500_000
MOST_EXACT = 1_000_000  # vectors that are held in float32 in one piece, and as random ones
QUERY_SEED = 2


@dataclass(frozen=True)
class Gallery:
    """Unit vectors (size, width), drawn block by block: random, or around the centres of 1,000 clusters."""

    kind: str
    size: int
    width: int

    def drawn(self, count: int, seed: int | tuple[int, int]) -> NDArray[np.float32]:
        rng = np.random.default_rng(seed)
        found = rng.standard_normal((count, self.width), dtype=np.float32)
        if self.kind == "clustered":
            centres = np.random.default_rng(0).standard_normal((CLUSTERS, self.width), dtype=np.float32)
            found *= np.float32(NOISE)
            found += centres[rng.integers(CLUSTERS, size=count)]
        faiss.normalize_L2(found)
        return found

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        for start in range(0, self.size, BLOCK):
            yield self.drawn(min(BLOCK, self.size - start), (1, start))

    def first(self, count: int) -> NDArray[np.float32]:
        """The first vectors, at most ``count``."""
        found = []
        for block in self.blocks():
            found.append(block)
            if sum(map(len, found)) >= count:
                break
        return np.concatenate(found)[:count]

    def nearest(self, asked: NDArray[np.float32]) -> NDArray[np.int64]:
        """The rows (Q, 10) of each query's nearest vectors, exactly."""
        best = faiss.ResultHeap(len(asked), DEPTH, keep_max=True)
        start = 0
        for block in self.blocks():
            scores, rows = faiss.knn(asked, block, DEPTH, faiss.METRIC_INNER_PRODUCT)
            best.add_result(scores, rows + start)
            start += len(block)
        best.finalize()
        return best.I


@dataclass(frozen=True)
class Kind:
    """An index by its factory string, the settings of its searches, and whether its lists lie on disk."""

    factory: str
    searches: tuple[dict[str, int], ...]
    on_disk: bool = False


def kinds(size: int, most_graph: int) -> list[Kind]:
    """Index types for a gallery of this size."""
    lists = int(2 ** round(np.log2(4 * np.sqrt(size))))
    probes = tuple({"nprobe": count} for count in (8, 32))
    found = [Kind("SQfp16", ({},)), Kind(f"IVF{lists},PQ32", probes), Kind(f"IVF{lists},RaBitQ", probes)]
    found.append(Kind(f"IVF{lists},RaBitQ,Refine(SQfp16)", tuple({**own, "k_factor_rf": 10} for own in probes)))
    if size <= MOST_EXACT:
        found += [Kind("Flat", ({},)), Kind(f"IVF{lists},Flat", probes)]
    if size <= most_graph:
        found.append(Kind("HNSW32", tuple({"efSearch": breadth} for breadth in (32, 128))))
    if size >= MOST_EXACT:
        found.append(Kind(f"IVF{lists},SQfp16", probes, on_disk=True))
    return found


def build(gallery: Gallery, kind: Kind, folder: Path) -> faiss.Index:
    """The index with all vectors; lists on disk are written block by block and joined there."""
    index = faiss.index_factory(gallery.width, kind.factory, faiss.METRIC_INNER_PRODUCT)
    if isinstance(index, faiss.IndexIVFPQ):
        index.do_polysemous_training = False  # a minute for a reordering of codes that this search never uses
    if not index.is_trained:
        inverted = faiss.try_extract_index_ivf(index)
        index.train(gallery.first(max(100_000, 25 * inverted.nlist if inverted is not None else 0)))
    parts = []
    for place, block in enumerate(gallery.blocks()):
        if not kind.on_disk:
            index.add(block)
            continue
        part = faiss.clone_index(index)
        part.add_with_ids(block, np.arange(len(block)) + place * BLOCK)
        parts.append(str(folder / f"{place}.faiss"))
        faiss.write_index(part, parts[-1])
    if kind.on_disk:
        merge_ondisk(index, parts, str(folder / "lists"))
        for path in parts:
            Path(path).unlink()
        faiss.write_index(index, str(folder / "index.faiss"))
        del index
        forget_file(folder / "lists")
        index = faiss.read_index(str(folder / "index.faiss"))
    return index


def forget_file(path: Path) -> None:
    """Writes a file out and asks the system to drop what it holds of it in memory."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def bytes_held(index: faiss.Index) -> int:
    """What the index takes in memory: its serialised size, counted without making it; lists on disk not counted."""
    counted = [0]
    faiss.write_index(index, faiss.PyCallbackIOWriter(lambda part: counted.__setitem__(0, counted[0] + len(part))))
    return counted[0]


def asked_one_by_one(index: faiss.Index, asked: NDArray[np.float32]) -> dict[str, Any]:
    """The rows found for each query, and its time by both clocks in ms."""
    times, clocks, found = [], [], []
    for row in range(len(asked)):
        at, own = time.perf_counter(), time.process_time()
        found.append(index.search(asked[row : row + 1], DEPTH)[1][0])
        times.append(1000 * (time.perf_counter() - at))
        clocks.append(1000 * (time.process_time() - own))
    return {"found": found, "query_ms": times, "computed_ms": clocks}


def measured(gallery: Gallery, kind: Kind, asked: NDArray[np.float32], exact: NDArray[np.int64]) -> Iterator[dict]:
    with tempfile.TemporaryDirectory() as scratch:
        began, computed = time.perf_counter(), time.process_time()
        index = build(gallery, kind, Path(scratch))
        about = {"vectors": gallery.kind, "size": gallery.size, "width": gallery.width, "index": kind.factory}
        about |= {"build_seconds": time.perf_counter() - began, "build_computed": time.process_time() - computed}
        about["bytes_per_vector"] = bytes_held(index) / gallery.size
        lists = Path(scratch) / "lists"
        about["disk_bytes_per_vector"] = lists.stat().st_size / gallery.size if kind.on_disk else 0.0
        for settings in kind.searches:
            for name, value in settings.items():
                faiss.ParameterSpace().set_index_parameter(index, name, value)
            first = asked_one_by_one(index, asked)["query_ms"] if kind.on_disk else []
            index.search(asked[:2], DEPTH)
            row = asked_one_by_one(index, asked)
            found = row.pop("found")
            recall = float(np.mean([len(set(a) & set(b)) / DEPTH for a, b in zip(found, exact, strict=True)]))
            median = np.median(row["computed_ms"])
            print(f"{gallery} {kind.factory} {settings}: recall {recall:.3f}, {median:.3f} ms", flush=True)
            yield about | {"settings": settings, "recall_at_10": recall, "first_query_ms": first, **row}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000, 10_000_000])
    parser.add_argument("--kinds", nargs="+", default=["random", "clustered"], choices=["random", "clustered"])
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--most-graph", type=int, default=1_000_000, help="largest gallery that HNSW is built for")
    parser.add_argument("--only", default="", help="index types whose factory string holds this")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--name", default="search")
    options = parser.parse_args()
    faiss.omp_set_num_threads(options.threads)
    record = {"what": "index types by size of the gallery", **provenance(threads=options.threads), "rows": []}
    galleries = [Gallery(kind, size, options.width) for size in options.sizes for kind in options.kinds]
    for gallery in galleries:
        if gallery.kind == "random" and gallery.size > MOST_EXACT:
            continue  # what they show is shown by then
        asked = gallery.drawn(options.queries, QUERY_SEED)
        exact = gallery.nearest(asked)
        for kind in (one for one in kinds(gallery.size, options.most_graph) if options.only in one.factory):
            record["rows"] += measured(gallery, kind, asked, exact)
            write(options.name, record)


if __name__ == "__main__":
    main()
