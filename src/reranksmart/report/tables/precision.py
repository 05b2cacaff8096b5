"""What fewer bits do to the answers (beyond the paper)."""

from collections.abc import Mapping
from typing import Any

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Entry, Kind
from reranksmart.report.labels import DIRECTIONS
from reranksmart.report.reading import frame
from reranksmart.report.table import Cell, Column, Row, Table
from reranksmart.report.times import NOT_NATIVE, emulated, machine
from reranksmart.values.frames import Frame

STAGES = {"encode": "retrieval", "rerank": "re-ranking"}
_EXACT = "float32"


def precision_table(costs: Frame, asked: Asked) -> Table:
    """Each precision of each stage of the system against float32: R@1, its change, and the rank overlap."""
    system = asked.label(asked.systems[0])
    depth = int(costs["depth"].iloc[0])
    columns = tuple(
        Column(f"{direction} {key}", f"{DIRECTIONS[direction].split(' ')[0]} {label}", unit=unit)
        for direction in costs["direction"].unique()
        for key, label, unit in (
            ("r_at_1", "R@1", "percent"),
            ("change", "change", "points"),
            ("overlap", f"overlap at {depth}", "percent"),
        )
    )
    rows = []
    for stage, own in costs.groupby("stage", sort=False):
        found = {
            precision: tuple(cell for line in lines.to_dict("records") for cell in _answer_cells(line))
            for precision, lines in own.groupby("precision", sort=False)
        }
        found |= {precision: (NOT_NATIVE,) * len(columns) for precision in emulated(costs)}
        rows += [Row(f"{stage} {name}", str(name), cells, group=STAGES[str(stage)]) for name, cells in found.items()]
    return asked.table(
        "What fewer bits do to the answers",
        columns,
        rows,
        f"Retriever and reranker of {system}, one seed, one caption an image. R@1 in %, its change against float32 in points with 95 % interval by bootstrap over images, and how "
        f"many of the first {depth} items are those of float32, in %; {int(costs['queries'].max()):,} queries "
        f"a direction, on {machine(costs)}. The reranker orders the {2 * depth} items that the retriever found in float32. "
        "Not in the paper.",
        header="precision",
    )


def _answer_cells(line: Mapping[str, Any]) -> tuple[Cell, Cell, Cell]:
    exact = line["precision"] == _EXACT
    change = Cell(value=line["change"], low=line["low"], high=line["high"])
    basis = Cell(missing="what the others are compared with")
    return Cell(value=line["r_at_1"]), basis if exact else change, basis if exact else Cell(value=100 * line["overlap"])


def require_both_roles(config: Any, path: str, entry: Entry) -> None:
    """ValueError where no timed system retrieves and re-ranks."""
    timed = config.latency.systems
    if all(len(config.systems[name].roles("")) < 2 for name in timed):
        raise ValueError(
            f"{path}: precisions are compared on a timed system that retrieves and re-ranks, and none of latency.systems "
            f"{list(timed)} does; add one, or set this table to null."
        )


KIND = Kind(
    Entry,
    reads=(frame("precision", "precision.csv"),),
    make=precision_table,
    requires="latency",
    check=require_both_roles,
)
