"""Hubs pushed back: nearest-neighbour normalisation (NNN; Chowdhury et al. 2024), for one direction at a time.

Some items are near to every query. How near an item is to the nearest points of a bank of other queries, such as the
training captions, says how much of a cosine it owes to that. Nothing is trained.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reranksmart.evaluation.per_query import relevant_items
from reranksmart.values.records import Captions, Direction, Embeddings, Ranking, Relevance

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
NEAREST = (1, 4, 8, 16, 32, 64, 128)
_CELLS_AT_ONCE = 2**24

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Normalisation:
    """An item's score is its cosine less ``weight`` x its mean cosine with the ``nearest`` points of the bank."""

    weight: float
    nearest: int

    def hubness(self, items: Vectors, bank: Vectors) -> NDArray[np.float32]:
        """What each item (N,) loses. A bank of one point cannot tell a hub from what matches that point: nothing."""
        if not self.weight or len(bank) < 2:
            return np.zeros(len(items), np.float32)
        nearest = min(self.nearest, len(bank))
        means = [
            np.partition(items[rows] @ bank.T, -nearest, axis=1)[:, -nearest:].mean(axis=1)
            for rows in _blocks(len(items), len(bank))
        ]
        return np.asarray(self.weight * np.concatenate(means), np.float32)


def retrieve_normalised(
    queries: Embeddings, gallery: Embeddings, hubness: NDArray[np.float32], *, depth: int
) -> Ranking:
    """The ``depth`` items of the gallery whose cosine with the query, less their ``hubness`` (N,), is largest."""
    depth = min(depth, len(gallery))
    items, scores = [], []
    for rows in _blocks(len(queries), len(gallery)):
        found = queries.vectors[rows] @ gallery.vectors.T - hubness
        items.append(np.argpartition(-found, depth - 1, axis=1)[:, :depth])
        scores.append(np.take_along_axis(found, items[-1], axis=1))
    return Ranking(queries.ids, gallery.ids, np.concatenate(items).astype(np.int32), np.concatenate(scores))


def choose_normalisation(
    queries: Embeddings, gallery: Embeddings, bank: Vectors, relevance: Relevance, way: Direction
) -> Normalisation:
    """With most of dev's queries right at the first place, the smallest weight among equals."""

    def merit(tried: Normalisation) -> tuple[float, float]:
        first = retrieve_normalised(queries, gallery, tried.hubness(gallery.vectors, bank), depth=1)
        return float(relevant_items(first, relevance, way).mean()), -tried.weight

    return max(
        (Normalisation(weight, nearest) for weight in WEIGHTS for nearest in NEAREST if weight or nearest == 1),
        key=merit,
    )


@dataclass(frozen=True)
class Sides:
    """Captions with their vectors, and the vectors of images."""

    captions: Captions
    texts: Embeddings
    images: Embeddings

    def pair(self, way: Direction, language: str) -> tuple[Embeddings, Embeddings]:
        """Those that ask and those that answer, the captions in one language."""
        return way.pair(self.texts.take(self.captions.in_languages([language]).ids), self.images)


def rank_normalised(
    asking: Sides,
    gallery: Sides,
    way: Direction,
    language: str,
    *,
    bank: Sides,
    dev: Sides,
    truth: Relevance,
    depth: int,
) -> tuple[Normalisation, Ranking]:
    """The ranking of one direction in one language, and the normalisation that ``dev`` chose for it."""
    (known, _), (queries, _), (_, items) = (of.pair(way, language) for of in (bank, asking, gallery))
    chosen = choose_normalisation(*dev.pair(way, language), known.vectors, truth, way)
    return chosen, retrieve_normalised(queries, items, chosen.hubness(items.vectors, known.vectors), depth=depth)


def _blocks(rows: int, columns: int) -> Iterator[slice]:
    step = max(1, _CELLS_AT_ONCE // max(1, columns))
    return (slice(start, start + step) for start in range(0, rows, step))
