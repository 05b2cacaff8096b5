"""Retrieve and re-rank, end to end: against a loop over single pairs in float32.

    python benchmarks/retrieve_rerank.py --threads 1

Everything of an evaluation with nothing encoded beforehand: 1,000 images of 50 regions, 20 captions, depth 20.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import torch
from measuring import forget_peak, interleaved, memory_megabytes, provenance, times_as_fast, write
from numpy.typing import NDArray
from scipy.stats import kendalltau
from worlds import captions, model, regions

from reranksmart.inputs.stored import RegionInputs, TokenisedCaptions
from reranksmart.models.reduced import in_precision
from reranksmart.models.single_stream import SingleStream
from reranksmart.ranking.encoding import encode_captions, encode_images
from reranksmart.ranking.reranking import score_pairs
from reranksmart.ranking.search import build_index, search

VARIANTS = {  # precision of encoding and of re-ranking
    "float32": ("float32", "float32"),
    "bfloat16": ("bfloat16", "bfloat16"),
    "bfloat16, re-ranked in float32": ("bfloat16", "float32"),
    "int8": ("int8", "int8"),
}
LOOP = "loop over single pairs, float32"


@dataclass(frozen=True)
class Answer:
    """Rows (Q, K) of the images retrieved for each caption, best first, and their log-odds (Q, K)."""

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]


def loop(net: SingleStream, texts: TokenisedCaptions, images: RegionInputs, depth: int) -> Answer:
    """What plain code does: one text, one image, one pair at a time."""
    with torch.inference_mode():
        queries = torch.cat([net.encode_text(texts.batch([row])) for row in range(len(texts))]).numpy()
        gallery = torch.cat([net.encode_image(images.batch([row])) for row in range(len(images))]).numpy()
        rows = np.argsort(-queries @ gallery.T, axis=1, kind="stable")[:, :depth]
        scores = [
            [float(net.score_pairs(texts.batch([query]), images.batch([row]))) for row in found]
            for query, found in enumerate(rows)
        ]
    return Answer(rows, np.array(scores, dtype=np.float32))


def batched(
    retriever: SingleStream, reranker: SingleStream, texts: TokenisedCaptions, images: RegionInputs, depth: int
) -> Answer:
    """The same by the project's verbs."""
    queries = encode_captions(retriever, texts, [str(row) for row in range(len(texts))]).vectors
    gallery = encode_images(retriever, images).vectors
    rows, _ = search(build_index(gallery), queries, depth=depth)
    pairs = np.repeat(np.arange(len(texts)), depth), rows.ravel()
    scores = score_pairs(reranker, texts, images, *pairs, quiet=True).reshape(-1, depth)
    return Answer(rows.astype(np.int64), scores)


def agreement(found: Answer, exact: Answer) -> dict[str, float]:
    """How far an answer is from the loop's: candidates in common, and the order of those by log-odds.

    ``largest_swapped_gap`` is the largest float32 difference between two log-odds that the answer orders the other way
    round: what counts as a tie must be at least that wide. 0 where the order is the same.
    """
    overlaps, taus, gaps, errors = [], [], [0.0], []
    for own_rows, own, true_rows, true in zip(found.rows, found.scores, exact.rows, exact.scores, strict=True):
        shared, at, place = np.intersect1d(own_rows, true_rows, return_indices=True)
        overlaps.append(len(shared) / len(true_rows))
        taus.append(kendalltau(own[at], true[place]).statistic)
        own_gap = own[at][:, None] - own[at]
        true_gap = true[place][:, None] - true[place]
        gaps.append(float(np.abs(true_gap[own_gap * true_gap < 0]).max(initial=0)))
        errors += np.abs(own[at] - true[place]).tolist()
    return {
        "retrieved_overlap": float(np.mean(overlaps)),
        "kendall_tau": float(np.mean(taus)),
        "largest_swapped_gap": max(gaps),
        "spread_within_a_query": float(exact.scores.std(axis=1).mean()),
        "largest_error": max(errors),
    }


def megabytes_beyond_weights(variant: str, threads: int, images: int, queries: int, depth: int, folder: Path) -> float:
    """The most memory that a fresh process takes beyond itself with its weights loaded."""
    asked = {"variant": variant, "threads": threads, "queries": queries, "depth": depth, "folder": str(folder)}
    done = subprocess.run(
        [sys.executable, __file__, "--images", str(images), "--memory", json.dumps(asked)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.strip().splitlines()[-1])


def _print_memory(asked: dict[str, Any]) -> None:
    from reranksmart.files.region_store import RegionStore

    torch.set_num_threads(asked["threads"])
    images, texts = RegionInputs(RegionStore.open(Path(asked["folder"]))), captions(asked["queries"])
    net = model()
    if asked["variant"] == LOOP:
        run = partial(loop, net)
    else:
        encode, rerank = VARIANTS[asked["variant"]]
        retriever = in_precision(net, encode)
        reranker = retriever if rerank == encode else in_precision(net, rerank)
        del net
        run = partial(batched, retriever, reranker)
    forget_peak()
    before = memory_megabytes("VmRSS")
    run(texts, images, asked["depth"])
    print(memory_megabytes("VmHWM") - before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--queries", type=int, default=20)
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--name", default="retrieve_rerank", help="of the file in benchmarks/results")
    parser.add_argument("--memory", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        _print_memory(json.loads(options.memory))
        return
    torch.set_num_threads(options.threads)
    faiss.omp_set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "regions"
        images, texts, net = RegionInputs(regions(folder, options.images)), captions(options.queries), model()
        chosen = {name: VARIANTS[name] for name in options.variants}
        nets = {name: in_precision(net, name) for name in sorted({part for pair in chosen.values() for part in pair})}
        answers: dict[str, Answer] = {}

        def keep(name: str, run: partial[Answer]) -> None:
            answers[name] = run(texts, images, options.depth)

        runs = {LOOP: partial(loop, net)}
        runs |= {name: partial(batched, nets[encode], nets[rerank]) for name, (encode, rerank) in chosen.items()}
        record = {"what": "retrieve and re-rank, nothing encoded beforehand", **provenance(threads=options.threads)}
        times = interleaved({name: partial(keep, name, run) for name, run in runs.items()}, repeats=options.repeats)
        memory = {
            name: megabytes_beyond_weights(
                name, options.threads, options.images, options.queries, options.depth, folder
            )
            for name in chosen
        }
    record |= {
        "model": "OSCAR-base, random weights",
        "images": options.images,
        "regions_an_image": 50,
        "queries": options.queries,
        "depth": options.depth,
        "baseline": LOOP,
        "seconds": times,
        "times_as_fast": times_as_fast(times, LOOP),
        "agreement": {name: agreement(answer, answers[LOOP]) for name, answer in answers.items()},
        "megabytes_beyond_weights": memory,
    }
    write(options.name, record)


if __name__ == "__main__":
    main()
