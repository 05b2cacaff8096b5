"""Which rows of the long measures table a table or figure is about, and what they say of their own size."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reranksmart.report.labels import WAYS, plural
from reranksmart.report.leaks import leak_of
from reranksmart.report.table import Cell, Column
from reranksmart.values.frames import Frame
from reranksmart.values.recalls import RECALLS

RECALL_COLUMNS = tuple(
    Column(f"{way} {measure}", f"{short} {measure}") for way, short in WAYS.items() for measure in RECALLS
)
SHORT_COLUMNS = (*(Column(f"{way} R@1", f"{short} R@1") for way, short in WAYS.items()), Column("mR", "mR"))
NOT_RUN = "not part of this run"
MEASURES = "Recall in percent; IR: text-to-image, TR: image-to-text; mR: mean, rsum: sum of the six recalls."


@dataclass(frozen=True)
class Scope:
    """The experiments that a table is about. Systems that do not re-rank have depth 0 and fusion ``none``."""

    backbone: str
    training_set: str
    test_set: str
    language: str
    depth: int
    fusion: str = "none"

    def rows(self, measures: Frame, *, free: Sequence[str] = (), instead: Mapping[str, object] | None = None) -> Frame:
        """The rows of these experiments; keys in ``free`` may have any value, those in ``instead`` have another.

        ``measures`` is the long table after ``aggregate_seeds``.
        """
        if "seeds" not in measures:
            raise ValueError("the measures have no column 'seeds'; pass them through significance.aggregate_seeds")
        wanted: dict[str, object] = {**vars(self), **(instead or {})}
        chosen = measures
        for key, value in wanted.items():
            if key in free:
                continue
            matches = chosen[key] == value
            if key in ("depth", "fusion"):
                matches |= chosen["depth"] == 0
            chosen = chosen[matches]
        return chosen


def cell_of(rows: Frame, column: str, *, missing: str = NOT_RUN) -> Cell:
    """The cell of ``column`` (``text-to-image R@1``, ``mR``, ...) in the rows of one experiment."""
    direction, _, measure = column.partition(" ")
    if direction not in WAYS:
        direction, measure = "both", column
    chosen = rows[(rows["direction"] == direction) & (rows["measure"] == measure)]
    if chosen.empty:
        return Cell(missing=missing)
    if len(chosen) > 1:
        differing = [name for name in chosen if chosen[name].nunique(dropna=False) > 1]
        raise ValueError(f"{len(chosen)} experiments claim one cell ({column}); they differ in {differing}")
    row = chosen.iloc[0]
    value, low, high, sd = (_number(row[name]) for name in ("value", "low", "high", "sd"))
    return Cell(value=value, low=low, high=high, sd=sd, **leak_of(row))


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def sizes(rows: Frame) -> str:
    """One sentence: queries, images, seeds, and what stands beside a value."""
    if rows.empty:
        return ""
    parts = []
    for direction, noun in (("text-to-image", "caption"), ("image-to-text", "image")):
        counts = sorted(rows.loc[rows["direction"] == direction, "queries"].unique())
        parts += [" or ".join(plural(int(count), noun) for count in counts)] if counts else []
    seeds = int(rows["seeds"].max())
    return f"n = {' and '.join(parts)} as queries, {spread(seeds, over='images')}."


def spread(seeds: int, *, over: str) -> str:
    """How many seeds, and what stands beside a value."""
    beside = f"95 % intervals by bootstrap over {over}" if seeds == 1 else "± the standard deviation over seeds"
    return f"{plural(seeds, 'seed')}; {beside}"


def by_system(rows: Frame, systems: Sequence[str]) -> list[tuple[str, Frame]]:
    return [(system, rows[rows["system"] == system]) for system in systems]
