"""Accuracy against the number of candidates that are re-ranked (paper, Table 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.labels import system_label
from reranksmart.report.reading import measures
from reranksmart.report.scope import MEASURES, NOT_RUN, SHORT_COLUMNS, by_system, cell_of, sizes
from reranksmart.report.table import Cell, Column, Row, Table

if TYPE_CHECKING:
    import pandas as pd


def depth_table(measures: pd.DataFrame, asked: Asked) -> Table:
    """Table 8: the depth k, and how many pairs it costs."""
    scope = asked.named_scope
    chosen = scope.rows(measures, free=["system", "depth"])
    columns = (*SHORT_COLUMNS, Column("pairs", "pairs scored", unit="count", in_paper=False))
    rows = []
    for system, of_system in by_system(chosen, asked.systems):
        for depth in sorted(of_system["depth"].unique()):
            of_depth = of_system[of_system["depth"] == depth]
            pairs = of_depth.loc[of_depth["direction"] == "both", "pairs_scored"]
            cells = [cell_of(of_depth, column.key) for column in SHORT_COLUMNS]
            cells.append(Cell(value=float(pairs.iloc[0])) if len(pairs) else Cell(missing=NOT_RUN))
            key = f"{system} k={depth:g}"
            rows.append(Row(key, system_label(system, asked.labels, depth=int(depth)), tuple(cells), paper_key=key))
    return Table(
        name=asked.name,
        title="Table 8: how many candidates to re-rank",
        caption=f"{MEASURES} Pairs scored: both directions together. {sizes(chosen)}",
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=asked.dataset,
        paper_table="table8",
        paper_dataset="MSCOCO 5k",
    )


KIND = Kind(
    TableOfExperiments,
    reads=(measures(),),
    make=depth_table,
)
