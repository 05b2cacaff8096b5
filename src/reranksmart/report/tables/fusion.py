"""Ways to join the scores of retriever and reranker (paper, Table 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.labels import fusion_label, system_label
from reranksmart.report.reading import measures
from reranksmart.report.scope import MEASURES, SHORT_COLUMNS, by_system, cell_of, sizes
from reranksmart.report.table import Row, Table

if TYPE_CHECKING:
    import pandas as pd


def fusion_table(measures: pd.DataFrame, asked: Asked) -> Table:
    """Table 9: ways to join the two scores of each of ``asked.systems``, which re-rank; the paper's is the joint model."""
    scope = asked.named_scope
    chosen = scope.rows(measures, free=["system", "fusion"])
    chosen = chosen[chosen["system"].isin(asked.systems)]
    rows = [
        Row(
            f"{system} {fusion}",
            fusion_label(fusion),
            tuple(cell_of(of_system[of_system["fusion"] == fusion], column.key) for column in SHORT_COLUMNS),
            paper_key=fusion if system == "joint_coop" else "-",
            group=system_label(system, asked.labels),
        )
        for system, of_system in by_system(chosen, asked.systems)
        for fusion in dict.fromkeys(of_system["fusion"])
    ]
    return Table(
        name=asked.name,
        title="Table 9: joining the scores of retriever and reranker",
        caption=f"Re-ranking at k = {scope.depth}; w is the retriever's share. {MEASURES} "
        f"{sizes(chosen)} The published w is taken to join match probability and cosine.",
        header="fusion",
        columns=SHORT_COLUMNS,
        rows=tuple(rows),
        dataset=asked.dataset,
        paper_table="table9",
        paper_dataset="Flickr30k 1k (Entities)",
    )


KIND = Kind(
    TableOfExperiments,
    reads=(measures(),),
    make=fusion_table,
)
