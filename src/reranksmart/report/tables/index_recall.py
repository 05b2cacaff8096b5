"""Approximate search against exact search, by index type (beyond the paper)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Entry, Kind
from reranksmart.report.reading import frame
from reranksmart.report.table import Cell, Column, Row, Table
from reranksmart.report.times import machine

if TYPE_CHECKING:
    import pandas as pd


def index_table(indexes: pd.DataFrame, asked: Asked) -> Table:
    """Approximate search against exact search, by index type (faiss factory string)."""
    columns = (
        Column("recall_at_10", "recall@10 of exact, %"),
        Column("search_ms", "one query", unit="ms"),
        Column("build_seconds", "build", unit="seconds"),
        Column("bytes_per_vector", "a vector", unit="bytes"),
    )
    scale = {"recall_at_10": 100.0}
    rows = [
        Row(
            line["index"],
            line["index"],
            tuple(Cell(value=scale.get(column.key, 1.0) * line[column.key]) for column in columns),
        )
        for line in indexes.to_dict("records")
    ]
    galleries = " or ".join(f"{size:,}" for size in sorted(indexes["gallery_size"].unique()))
    real = f", of which {int(indexes['real_images'].max()):,} real images" if "real_images" in indexes else ""
    queries = f"{int(indexes['queries'].max()):,} captions ask; " if "queries" in indexes else ""
    return Table(
        name=asked.name,
        title="Approximate nearest neighbours against exact search",
        caption=f"How many of the exact ten nearest images the index finds; {queries}{galleries} vectors{real}; an IVF "
        f"index reads an eighth of its lists; time "
        f"is the median of one query{f', on {machine(indexes)}' if 'device' in indexes else ''}. Not in the paper.",
        header="index",
        columns=columns,
        rows=tuple(rows),
        dataset=asked.dataset,
    )


KIND = Kind(
    Entry,
    reads=(frame("index_recall", "index_recall.csv"),),
    make=index_table,
    requires="latency",
)
