"""Retrieval with and without re-ranking (paper, Table 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.reading import measures
from reranksmart.report.scope import MEASURES, NOT_RUN, RECALL_COLUMNS, has_system, row_of, sizes
from reranksmart.report.table import Column, Table

if TYPE_CHECKING:
    import pandas as pd

MAIN_COLUMNS = (*RECALL_COLUMNS, Column("rsum", "rsum"), Column("mR", "mR"))


def main_table(measures: pd.DataFrame, asked: Asked) -> Table:
    """A second test set holds one caption an image, on which the exhaustive cross-encoder was run."""
    scope = asked.named_scope
    exhaustive = "".join(name for name, _ in asked.test_sets[1:])
    whole = scope.rows(measures, free=["system"])
    first = scope.rows(measures, free=["system"], instead={"test_set": exhaustive})
    reason = "not run on all captions, which takes every pair: see one caption an image"
    rows = [
        row_of(
            whole,
            system,
            MAIN_COLUMNS,
            asked.labels,
            missing=reason if has_system(first, system) else NOT_RUN,
            group="all captions" if len(first) else "",
        )
        for system in asked.systems
    ]
    rows += [
        row_of(first, system, MAIN_COLUMNS, asked.labels, group="one caption an image", paper_key="-")
        for system in asked.systems
        if has_system(first, system)
    ]
    return Table(
        name=asked.name,
        title="Table 1: retrieval with and without re-ranking",
        caption=f"{MEASURES} Re-ranking at k = {scope.depth}. {sizes(whole)} On one caption an image: {sizes(first)}"
        if len(first)
        else f"{MEASURES} Re-ranking at k = {scope.depth}. {sizes(whole)}",
        header="system",
        columns=MAIN_COLUMNS,
        rows=tuple(rows),
        dataset=asked.dataset,
        paper_table="table1",
        paper_dataset="MSCOCO 5k",
    )


KIND = Kind(
    TableOfExperiments,
    reads=(measures(),),
    make=main_table,
    shows={"test_sets": (1, 2)},
)
