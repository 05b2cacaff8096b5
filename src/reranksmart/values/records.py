"""The values every layer exchanges: captions, relevance, embeddings and rankings (numpy only)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from reranksmart.values.ties import best_first

T = TypeVar("T")


class Direction(StrEnum):
    """Which side asks: a caption for images (IR in the paper) or an image for captions (TR)."""

    TEXT_TO_IMAGE = "text-to-image"
    IMAGE_TO_TEXT = "image-to-text"

    def pair(self, query: T, item: T) -> tuple[T, T]:
        """The (query, item) pair as (caption, image)."""
        return (query, item) if self is Direction.TEXT_TO_IMAGE else (item, query)


def require_unique(ids: Sequence[str], what: str) -> None:
    """ValueError names an id that stands among them twice."""
    if len(set(ids)) != len(ids):
        duplicate, count = Counter(ids).most_common(1)[0]
        raise ValueError(
            f"{what} id {duplicate!r} occurs {count} times; ids must be unique. Remove or rename the duplicate."
        )


def _require_encodable(texts: Sequence[str]) -> None:
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"a caption, or its id, image id or language, holds half a character ({error.object[error.start]!r}), which "
            "no file can hold. Mend the text."
        ) from error


@dataclass(frozen=True)
class Relevance:
    """Which captions are true of which images, as aligned pairs of ids."""

    caption_ids: tuple[str, ...]
    image_ids: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.caption_ids) != len(self.image_ids):
            raise ValueError(f"{len(self.caption_ids)} caption ids but {len(self.image_ids)} image ids")

    def items_by_query(self, direction: Direction) -> dict[str, frozenset[str]]:
        """For each query id the ids of its relevant items."""
        items: dict[str, set[str]] = defaultdict(set)
        queries, answers = direction.pair(self.caption_ids, self.image_ids)
        for query, answer in zip(queries, answers, strict=True):
            items[query].add(answer)
        return {query: frozenset(found) for query, found in items.items()}


@dataclass(frozen=True)
class Captions:
    """Captions of one split: ids, texts, the described image's id and the language of each."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    image_ids: tuple[str, ...]
    languages: tuple[str, ...]

    def __post_init__(self) -> None:
        lengths = {len(self.ids), len(self.texts), len(self.image_ids), len(self.languages)}
        if len(lengths) != 1:
            raise ValueError(
                f"captions need as many ids, texts, image ids and languages, got lengths {sorted(lengths)}"
            )
        require_unique(self.ids, "caption")
        for column in (self.ids, self.texts, self.image_ids, self.languages):
            _require_encodable(column)
        for caption_id, text in zip(self.ids, self.texts, strict=True):
            if not text.strip():
                raise ValueError(f"caption {caption_id!r} is empty ({text!r}); give it a text or remove it.")

    def __len__(self) -> int:
        return len(self.ids)

    def relevance(self) -> Relevance:
        """Every caption is relevant to the image it describes, and to no other."""
        return Relevance(self.ids, self.image_ids)

    @staticmethod
    def concatenated(parts: "Iterable[Captions]") -> "Captions":
        """The captions of all parts, one after the other."""
        parts = list(parts)
        columns = [[getattr(part, name) for part in parts] for name in ("ids", "texts", "image_ids", "languages")]
        return Captions(*(tuple(chain.from_iterable(column)) for column in columns))

    def take(self, rows: Iterable[int]) -> "Captions":
        """The captions at these rows, in this order."""
        rows = list(rows)
        columns = (self.ids, self.texts, self.image_ids, self.languages)
        return Captions(*(tuple(column[row] for row in rows) for column in columns))

    def in_languages(self, languages: Iterable[str]) -> "Captions":
        """Only the captions in these languages; raises ValueError if one of them has none."""
        wanted = set(languages)
        missing = wanted - set(self.languages)
        if missing:
            raise ValueError(f"no caption in {sorted(missing)}; there are captions in {sorted(set(self.languages))}.")
        return self.in_any_language(wanted)

    def in_any_language(self, languages: Iterable[str]) -> "Captions":
        """Only the captions in these languages, perhaps none."""
        wanted = set(languages)
        return self.take(row for row, language in enumerate(self.languages) if language in wanted)

    def of_images(self, image_ids: Iterable[str]) -> "Captions":
        """Only the captions that describe these images."""
        wanted = set(image_ids)
        return self.take(row for row, image_id in enumerate(self.image_ids) if image_id in wanted)

    def first_of_each_image(self, count: int) -> "Captions":
        """At most ``count`` captions of each image in each language, the first ones."""
        seen: Counter[tuple[str, str]] = Counter()
        rows = []
        for row, key in enumerate(zip(self.image_ids, self.languages, strict=True)):
            seen[key] += 1
            if seen[key] <= count:
                rows.append(row)
        return self.take(rows)


@dataclass(frozen=True)
class Embeddings:
    """Unit vectors (N, D) float32 with the ids (N,) of what they embed."""

    ids: tuple[str, ...]
    vectors: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.ids) != len(self.vectors):
            raise ValueError(f"{len(self.ids)} ids need vectors of shape (N, D), got {self.vectors.shape}")
        if self.vectors.dtype != np.float32:
            raise ValueError(f"embeddings are float32, got {self.vectors.dtype}")
        require_unique(self.ids, "embedding")
        lengths = np.linalg.norm(self.vectors, axis=1)
        if len(lengths) and not np.all(np.abs(lengths - 1) < 1e-3):
            worst = int(np.argmax(np.abs(lengths - 1)))
            raise ValueError(
                f"embedding of {self.ids[worst]!r} has length {lengths[worst]:.4g}; rows must be unit vectors"
            )

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def row_by_id(self) -> Mapping[str, int]:
        return {id_: row for row, id_ in enumerate(self.ids)}

    def take(self, ids: Sequence[str]) -> "Embeddings":
        """The vectors of these ids, in their order."""
        return Embeddings(tuple(ids), self.vectors[[self.row_by_id[id_] for id_ in ids]])


@dataclass(frozen=True)
class Ranking:
    """The K best items of each query, best first.

    ``items`` (Q, K) int32 index ``gallery_ids``; ``scores`` (Q, K) float32 fall along each row. The constructor
    sorts; equal scores stand in the order that ``values.ties`` draws for them. Nobody else sorts.
    """

    query_ids: tuple[str, ...]
    gallery_ids: tuple[str, ...]
    items: NDArray[np.int32]
    scores: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.items.shape != self.scores.shape or self.items.ndim != 2 or len(self.items) != len(self.query_ids):
            raise ValueError(
                f"{len(self.query_ids)} queries need items and scores of one shape (Q, K), "
                f"got {self.items.shape} and {self.scores.shape}"
            )
        if np.isnan(self.scores).any():
            row = int(np.isnan(self.scores).any(axis=1).argmax())
            raise ValueError(f"scores of query {self.query_ids[row]!r} hold NaN; the model that scored it diverged")
        given = self.items.astype(np.int32), self.scores.astype(np.float32)
        items, scores = best_first(self.query_ids, self.gallery_ids, *given)
        object.__setattr__(self, "items", items)
        object.__setattr__(self, "scores", scores)

    def __len__(self) -> int:
        return len(self.query_ids)

    @property
    def depth(self) -> int:
        """K, the number of items ranked for each query."""
        return self.items.shape[1]

    def item_ids(self, row: int) -> list[str]:
        """The ids of query ``row``'s items, best first."""
        return [self.gallery_ids[item] for item in self.items[row]]

    def top(self, depth: int) -> "Ranking":
        """The first ``depth`` items of each query."""
        if not 1 <= depth <= self.depth:
            raise ValueError(f"depth {depth} is outside 1..{self.depth}, the items that were ranked")
        return Ranking(self.query_ids, self.gallery_ids, self.items[:, :depth], self.scores[:, :depth])

    def rescored(self, scores: NDArray[np.float32]) -> "Ranking":
        """The first k items of each row in the order of new ``scores`` (Q, k).

        Items beyond k keep their order: their scores fall by steps from the row's lowest new score, so that recall at
        any K >= k is the retriever's own.
        """
        k = scores.shape[1]
        tail = self.scores[:, k:]
        if tail.size:
            lowest = scores.min(axis=1, keepdims=True)
            step = np.maximum(1, 4 * np.spacing(np.abs(lowest)))  # float32 tells each from the next
            tail = lowest - step * np.arange(1, tail.shape[1] + 1, dtype=np.float32)
        return Ranking(self.query_ids, self.gallery_ids, self.items, np.concatenate([scores, tail], axis=1))
