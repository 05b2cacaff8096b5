"""Layers that read text and image apart, so that their states can be stored (beyond the paper)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.labels import system_label
from reranksmart.report.reading import PAIR_COSTS, measures
from reranksmart.report.scope import MEASURES, NOT_RUN, SHORT_COLUMNS, cell_of, sizes
from reranksmart.report.table import Cell, Column, Row, Table
from reranksmart.report.times import machine, pair_quantiles

if TYPE_CHECKING:
    import pandas as pd


def cached_layers_table(measures: pd.DataFrame, costs: pd.DataFrame, asked: Asked) -> Table:
    """Accuracy against the cost of re-ranking, by the number of first layers that read text and image apart."""
    scope = asked.named_scope
    chosen = scope.rows(measures, free=["system"])
    times = pair_quantiles(costs)
    columns = (
        *SHORT_COLUMNS,
        Column("query", f"one query, {scope.depth} pairs", unit="ms", in_paper=False),
        Column("bulk", "pairs a second in bulk", unit="count", in_paper=False),
        Column("bytes", "stored bytes an image", unit="bytes", in_paper=False),
    )
    rows = []
    for system in asked.systems:
        of_system = chosen[chosen["system"] == system]
        cells = [cell_of(of_system, column.key) for column in SHORT_COLUMNS]
        query, bulk = (times.loc[times["system"].eq(system) & times["kind"].eq(kind)] for kind in ("query", "bulk"))
        if len(query) and len(bulk):
            timed, many = query.iloc[0], bulk.iloc[0]
            cells += [
                Cell(value=timed["value"], low=timed["low"], high=timed["high"]),
                Cell(value=round(1000 * many["pairs"] / many["value"])),
                Cell(value=timed["bytes_per_image"]),
            ]
        else:
            cells += [Cell(missing=NOT_RUN)] * 3
        rows.append(Row(system, system_label(system, asked.labels), tuple(cells)))
    timed_queries = int(times.loc[times["kind"] == "query", "repeats"].min())
    return Table(
        name=asked.name,
        title="Layers that read text and image apart, so that their states can be stored",
        caption=f"{MEASURES} Re-ranking at k = {scope.depth}. {sizes(chosen[chosen['system'].isin(asked.systems)])} Time of the "
        f"pairs of one query, images' states at hand, the caption's computed: median and 5th to 95th percentile of "
        f"{timed_queries} queries; in bulk: median of {int(times.loc[times['kind'] == 'bulk', 'repeats'].min())} batches of "
        f"{int(costs.loc[costs['kind'] == 'bulk', 'pairs'].max()):,} pairs; on "
        f"{machine(costs)}, the models taking turns. Not in the paper (MacAvaney et al. 2020 do so for documents).",
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=asked.dataset,
    )


KIND = Kind(
    TableOfExperiments,
    reads=(
        measures(),
        PAIR_COSTS,
    ),
    make=cached_layers_table,
)
