"""Joint training with random and with mined negatives (paper, section 5.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.reading import measures
from reranksmart.report.scope import MEASURES, SHORT_COLUMNS, row_of, sizes
from reranksmart.report.table import Table

if TYPE_CHECKING:
    import pandas as pd


def hard_negatives_table(measures: pd.DataFrame, asked: Asked) -> Table:
    """Joint training with random negatives, and with negatives mined by the model's own search."""
    scope = asked.named_scope
    chosen = scope.rows(measures, free=["system"])
    rows = [row_of(chosen, system, SHORT_COLUMNS, asked.labels) for system in asked.systems]
    return Table(
        name=asked.name,
        title="Hard negatives in joint training",
        caption=f"{MEASURES} Re-ranking at k = {scope.depth}. {sizes(chosen[chosen['system'].isin(asked.systems)])}",
        header="system",
        columns=SHORT_COLUMNS,
        rows=tuple(rows),
        dataset=asked.dataset,
        paper_table="hard_negatives",
        paper_dataset="MSCOCO 5k",
    )


KIND = Kind(
    TableOfExperiments,
    reads=(measures(),),
    make=hard_negatives_table,
)
