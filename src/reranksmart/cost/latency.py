"""What a query costs: three clocks (encode the query, search, score the pairs), every raw time kept."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import faiss
import numpy as np
import torch
from numpy.typing import NDArray

from reranksmart.inputs.stored import CaptionInputs, StoredImages
from reranksmart.ranking.encoding import encode_captions, encode_images
from reranksmart.ranking.reranking import score_pairs
from reranksmart.ranking.search import build_index, search
from reranksmart.run.progress import progress


@dataclass(frozen=True)
class TimedRole:
    """A model under the clock, with the captions and images as it reads them."""

    model: Any
    tokens: CaptionInputs
    images: StoredImages
    prepare: Callable[[], object] | None = None
    """Makes the images anew of what comes before them: the vision tower's part of an evaluation that caches nothing."""


@dataclass(frozen=True)
class TimedSystem:
    """A system under the clock."""

    name: str
    retriever: TimedRole | None = None
    reranker: TimedRole | None = None

    @property
    def asked(self) -> TimedRole:
        """The role that a query meets first; ValueError where there is none."""
        if found := self.retriever or self.reranker:
            return found
        raise ValueError(f"system {self.name!r} has neither retriever nor reranker; give it one")


def milliseconds(action: Callable[[], object]) -> float:
    """Wall-clock time of one call; a GPU's queue is emptied before and after."""
    _synchronise()
    began = time.perf_counter()
    action()
    _synchronise()
    return 1000 * (time.perf_counter() - began)


def _synchronise() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def grown_gallery(vectors: NDArray[np.float32], size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """``size`` unit vectors (size, D): the given ones first, then distractors: given ones turned by random noise."""
    if size <= len(vectors):
        return vectors[:size]
    extra = vectors[rng.integers(len(vectors), size=size - len(vectors))]
    extra = extra + rng.standard_normal(extra.shape, dtype=np.float32) * np.float32(0.5 / np.sqrt(extra.shape[1]))
    extra /= np.linalg.norm(extra, axis=1, keepdims=True)
    return np.concatenate([vectors, extra])


def query_times(
    systems: Sequence[TimedSystem],
    *,
    gallery_sizes: Sequence[int],
    depths: Sequence[int],
    queries: int,
    warmup: int,
    pairs_measured: int,
    seed: int,
) -> list[dict[str, Any]]:
    """One row per system, gallery size, depth, query and stage: what a text query costs, in milliseconds.

    Galleries beyond the images at hand are filled with distractor vectors; pairs beyond them repeat images, which
    costs the same. A cross-encoder over more than ``pairs_measured`` images is extrapolated from its largest measured
    gallery, in proportion to the pairs, and marked so.
    """
    rows: list[dict[str, Any]] = []
    rng = np.random.default_rng(seed)
    for system in systems:
        vectors = encode_images(system.retriever.model, system.retriever.images).vectors if system.retriever else None
        for size in progress(gallery_sizes, what=f"time {system.name} (gallery sizes)", total=len(gallery_sizes)):
            index = build_index(grown_gallery(vectors, size, rng)) if vectors is not None else None
            ks = [k for k in depths if k < size] if system.retriever and system.reranker else [0]
            for k in ks:
                for repeat in range(-warmup, queries):
                    stages, extrapolated = _one_query(system, index, size, k, repeat, pairs_measured)
                    stages["total"] = sum(stages.values())
                    if repeat >= 0:
                        rows += [
                            {
                                "system": system.name,
                                "gallery_size": size,
                                "depth": k,
                                "stage": stage,
                                "repeat": repeat,
                                "time_ms": value,
                                "extrapolated": extrapolated,
                                "real_images": min(size, len(system.asked.images)),
                            }
                            for stage, value in stages.items()
                        ]
                    if system.retriever is None and repeat >= 2:
                        break  # an exhaustive query is long and steady: three are timed
    return rows


def _one_query(
    system: TimedSystem, index: faiss.Index | None, size: int, depth: int, repeat: int, pairs_measured: int
) -> tuple[dict[str, float], bool]:
    stages: dict[str, float] = {}
    pairs, extrapolated = depth, False
    if system.retriever is not None and index is not None:
        retriever, tokens = system.retriever.model, system.retriever.tokens
        text = tokens.batch(np.array([repeat % len(tokens)]))
        with torch.inference_mode():
            stages["encode query"] = milliseconds(lambda: retriever.encode_text(text))
            vector = retriever.encode_text(text).float().cpu().numpy()
        stages["search"] = milliseconds(lambda: search(index, vector, depth=min(size, max(depth, 10))))
    else:
        pairs, extrapolated = min(size, pairs_measured), size > pairs_measured
    if system.reranker is not None:
        role = system.reranker
        caption_rows = np.full(pairs, repeat % len(role.tokens))
        image_rows = (np.arange(pairs) + repeat) % len(role.images)
        stages["score pairs"] = milliseconds(
            lambda: score_pairs(role.model, role.tokens, role.images, caption_rows, image_rows, quiet=True)
        ) * (size / pairs if extrapolated else 1)
    return stages, extrapolated


def evaluation_times(systems: Sequence[TimedSystem], *, depth: int, pairs_measured: int) -> list[dict[str, Any]]:
    """One row a system: the seconds of a whole evaluation, both directions, nothing cached.

    A cross-encoder over all pairs is timed on ``pairs_measured`` of them and extrapolated, and marked so.
    """
    rows = []
    for system in progress(systems, what="time whole evaluations (systems)", total=len(systems)):
        captions, images = len(system.asked.tokens), len(system.asked.images)
        all_pairs = captions * images
        seconds, pairs, extrapolated = _preparation_seconds(system), 0, False
        if system.retriever is not None:
            seconds += milliseconds(partial(_retrieve_both_ways, system.retriever, depth)) / 1000
            pairs = (captions * min(depth, images) + images * depth) if system.reranker else 0
        else:
            pairs, extrapolated = all_pairs, all_pairs > pairs_measured
        if system.reranker is not None:
            role = system.reranker
            timed = min(pairs, pairs_measured) if extrapolated else pairs
            picked = np.arange(timed) * (all_pairs // max(timed, 1)) % all_pairs
            rows_of_pairs = np.divmod(picked, images)
            took = milliseconds(lambda: score_pairs(role.model, role.tokens, role.images, *rows_of_pairs))  # noqa: B023
            seconds += took / 1000 * pairs / timed
        rows.append(
            {
                "system": system.name,
                "queries": captions + images,
                "images": images,
                "pairs": pairs,
                "seconds": seconds,
                "extrapolated": extrapolated,
            }
        )
    return rows


def _preparation_seconds(system: TimedSystem) -> float:
    """What the images take before they are as both roles read them, each model's once."""
    by_model = {id(role.model): role.prepare for role in (system.retriever, system.reranker) if role is not None}
    return sum((milliseconds(prepare) for prepare in by_model.values() if prepare is not None), 0.0) / 1000


def _retrieve_both_ways(role: TimedRole, depth: int) -> None:
    tokens = role.tokens
    texts = encode_captions(role.model, tokens, [str(row) for row in range(len(tokens))]).vectors
    images = encode_images(role.model, role.images).vectors
    for queries, gallery in ((texts, images), (images, texts)):
        search(build_index(gallery), queries, depth=min(depth, len(gallery)))
