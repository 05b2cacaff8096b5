"""Things of unequal length kept one after the other, without padding."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ragged:
    """N things that own rows: thing n has the rows ``offsets[n]:offsets[n + 1]`` of each array of ``per_row``.

    Offsets of lengths 2, 0 and 3 are [0, 2, 2, 5]. A subclass names its fields: ``per_row`` are arrays (sum, ...), NumPy's
    (in memory or mapped from disk) or torch's; ``per_thing`` are arrays or tuples (N, ...), or empty where things have
    none. ValueError where lengths disagree.
    """

    offsets: NDArray[np.int64]

    per_row: ClassVar[tuple[str, ...]] = ()
    per_thing: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        counts = {name: len(getattr(self, name)) for name in self.per_row}
        if len(set(counts.values())) > 1:
            raise ValueError(f"{' and '.join(counts)} differ in length: {counts}")
        rows = next(iter(counts.values()))
        if not len(self.offsets) or self.offsets[0] != 0 or self.offsets[-1] != rows or (self.lengths < 0).any():
            raise ValueError(f"offsets must rise from 0 to the number of rows, {rows}, got {self.offsets}")
        for name in self.per_thing:
            found = len(getattr(self, name))
            if found not in (0, len(self)):
                raise ValueError(f"{len(self)} things have {found} {name}; each has one, or none has")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The rows of each thing (N,)."""
        return np.diff(self.offsets)

    def span(self, thing: int) -> slice:
        """The rows of one thing."""
        return slice(int(self.offsets[thing]), int(self.offsets[thing + 1]))

    def columns(
        self, things: Sequence[int] | NDArray[np.integer], *, longest: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The rows (B, L) of things, the first ``longest`` of each, and their mask; what is masked out points at a
        thing's first row."""
        chosen = np.asarray(things)
        starts = self.offsets[chosen]
        lengths = self.offsets[chosen + 1] - starts
        if longest is not None:
            lengths = np.minimum(lengths, longest)
        steps = np.arange(lengths.max(initial=0))
        mask = steps < lengths[:, None]
        return starts[:, None] + np.where(mask, steps, 0), mask

    def take(self, things: Iterable[int]) -> Self:
        """Only these things, in this order, in memory."""
        chosen = np.fromiter(things, dtype=np.int64)
        columns, mask = self.columns(chosen)
        rows = {name: getattr(self, name)[columns[mask]] for name in self.per_row}
        own = {name: _chosen(getattr(self, name), chosen) for name in self.per_thing}
        return replace(self, offsets=offsets_of(mask.sum(axis=1)), **rows, **own)

    def first(self, count: int) -> Self:
        """The first things, in the same memory."""
        count = min(count, len(self))
        stop = int(self.offsets[count])
        rows = {name: getattr(self, name)[:stop] for name in self.per_row}
        own = {name: getattr(self, name)[:count] for name in self.per_thing}
        return replace(self, offsets=self.offsets[: count + 1], **rows, **own)

    def followed_by(self, others: Sequence[Self]) -> Self:
        """The things of several, one after the other; what is neither per row nor per thing is this one's."""
        parts = [self, *others]
        starts = np.cumsum([0] + [int(part.offsets[-1]) for part in parts])
        offsets = [part.offsets[:-1] + start for part, start in zip(parts, starts, strict=False)]
        joined = {name: _joined([getattr(part, name) for part in parts]) for name in (*self.per_row, *self.per_thing)}
        return replace(self, offsets=np.concatenate([*offsets, starts[-1:]]), **joined)


def offsets_of(lengths: Iterable[int] | NDArray[np.integer]) -> NDArray[np.int64]:
    """Where things of these lengths (N,) begin and end (N + 1,)."""
    return np.concatenate([[0], np.cumsum(np.asarray(lengths, dtype=np.int64))]).astype(np.int64)


def _chosen(values: Any, chosen: NDArray[np.int64]) -> Any:
    if isinstance(values, tuple):
        return tuple(values[thing] for thing in chosen) if values else ()
    return values[chosen]


def _joined(values: Sequence[Any]) -> Any:
    if isinstance(values[0], tuple):
        return tuple(chain.from_iterable(values))
    return np.concatenate(values)
