"""Work shared out over jobs: batches are cut first, then dealt, so that no number depends on how many jobs there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


@dataclass(frozen=True)
class Shard:
    """One job of ``count``: every ``count``-th batch from ``index`` on, so that each gets long and short ones."""

    index: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise ValueError(
                f"shard {self.index} of {self.count} does not exist; shards are numbered from 0 to one below their number"
            )

    @property
    def is_whole(self) -> bool:
        return self.count == 1

    def of(self, batches: Sequence[T]) -> Sequence[T]:
        """This job's batches."""
        return batches[self.index :: self.count]


WHOLE = Shard()


@dataclass(frozen=True)
class Share:
    """What one job computed: ``values`` (n, ...) of the rows (n,) int64, of ``total`` rows in all."""

    rows: NDArray[np.int64]
    values: NDArray[np.float32]
    total: int

    @staticmethod
    def of_batches(rows: Sequence[NDArray[np.int64]], values: Sequence[NDArray[np.float32]], *, total: int) -> "Share":
        """The rows and values of all batches of a job, perhaps of none."""
        if not rows:
            return Share(np.empty(0, np.int64), np.empty(0, np.float32), total)
        return Share(np.concatenate(rows), np.concatenate(values), total)


def joined(shares: Sequence[Share]) -> NDArray[Any]:
    """The values (total, ...) float32 of all rows in their order.

    ValueError where the shares leave rows out or hold some twice: then they are not those of one run.
    """
    totals = {share.total for share in shares}
    rows = np.concatenate([share.rows for share in shares])
    if len(totals) != 1 or not np.array_equal(np.sort(rows), np.arange(min(totals))):
        raise ValueError(
            f"{len(shares)} shards hold {len(rows)} rows ({len(np.unique(rows))} different ones) of {sorted(totals)}; "
            "together they must hold each row once. Delete their folders to have all of them made again."
        )
    filled = [share.values for share in shares if len(share.rows)]
    values = np.concatenate(filled) if filled else np.empty(0, np.float32)
    whole = np.empty_like(values)
    whole[rows] = values
    return whole
