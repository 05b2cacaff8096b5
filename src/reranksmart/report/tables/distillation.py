"""A cross-encoder that teaches the bi-encoder of its joint model (beyond the paper)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.reading import measures
from reranksmart.report.scope import MEASURES, SHORT_COLUMNS, row_of, sizes
from reranksmart.report.table import Table

if TYPE_CHECKING:
    import pandas as pd


def distillation_table(measures: pd.DataFrame, asked: Asked) -> Table:
    """Joint training with and without a cross-encoder that teaches the bi-encoder."""
    scope = asked.named_scope
    chosen = scope.rows(measures, free=["system"])
    return Table(
        name=asked.name,
        title="Distillation: the joint model's cross-encoder teaches its bi-encoder",
        caption=f"{MEASURES} Re-ranking at k = {scope.depth}. {sizes(chosen[chosen['system'].isin(asked.systems)])} Not in the "
        "paper.",
        header="system",
        columns=SHORT_COLUMNS,
        rows=tuple(row_of(chosen, system, SHORT_COLUMNS, asked.labels) for system in asked.systems),
        dataset=asked.dataset,
    )


KIND = Kind(
    TableOfExperiments,
    reads=(measures(),),
    make=distillation_table,
)
