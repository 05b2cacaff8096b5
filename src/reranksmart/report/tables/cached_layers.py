"""Layers that read text and image apart, so that their states can be stored (beyond the paper)."""

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.reading import PAIR_COSTS, measures
from reranksmart.report.scope import MEASURES, NOT_RUN, SHORT_COLUMNS, sizes
from reranksmart.report.table import Cell, Column, Table
from reranksmart.report.times import machine, pair_quantiles
from reranksmart.values.frames import Frame


def cached_layers_table(measures: Frame, costs: Frame, asked: Asked) -> Table:
    """Accuracy against the cost of re-ranking, by the number of first layers that read text and image apart."""
    chosen, depth, times = asked.rows(measures), asked.named_scope.depth, pair_quantiles(costs)
    rows = []
    for system in asked.systems:
        query, bulk = (times.loc[times["system"].eq(system) & times["kind"].eq(kind)] for kind in ("query", "bulk"))
        timed = (Cell(missing=NOT_RUN),) * 3
        if len(query) and len(bulk):
            one, many = query.iloc[0], bulk.iloc[0]
            timed = (
                Cell(value=one["value"], low=one["low"], high=one["high"]),
                Cell(value=round(1000 * many["pairs"] / many["value"])),
                Cell(value=one["bytes_per_image"]),
            )
        rows.append(asked.row(chosen, system, SHORT_COLUMNS, paper_key="").beside(*timed))
    queries, batches = (int(times.loc[times["kind"] == kind, "repeats"].min()) for kind in ("query", "bulk"))
    return asked.table(
        "Layers that read text and image apart, so that their states can be stored",
        (
            *SHORT_COLUMNS,
            Column("query", f"one query, {depth} pairs", unit="ms", in_paper=False),
            Column("bulk", "pairs a second in bulk", unit="count", in_paper=False),
            Column("bytes", "stored bytes an image", unit="bytes", in_paper=False),
        ),
        rows,
        f"{MEASURES} Re-ranking at k = {depth}. {sizes(chosen)} Time of the "
        f"pairs of one query, images' states at hand, the caption's computed: median and 5th to 95th percentile of "
        f"{queries} queries; in bulk: median of {batches} batches of "
        f"{int(costs.loc[costs['kind'] == 'bulk', 'pairs'].max()):,} pairs; on "
        f"{machine(costs)}, the models taking turns. Not in the paper (MacAvaney et al. 2020 do so for documents).",
    )


KIND = Kind(TableOfExperiments, reads=(measures(), PAIR_COSTS), make=cached_layers_table)
