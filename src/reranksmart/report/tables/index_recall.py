"""Approximate search against exact search, by index type (beyond the paper)."""

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Entry, Kind
from reranksmart.report.reading import frame
from reranksmart.report.table import Cell, Column, Row, Table
from reranksmart.report.times import machine
from reranksmart.values.frames import Frame


def index_table(indexes: Frame, asked: Asked) -> Table:
    """Approximate search against exact search, by index type (faiss factory string)."""
    columns = (
        Column("recall_at_10", "recall@10 of exact, %"),
        Column("search_ms", "one query", unit="ms"),
        Column("build_seconds", "build", unit="seconds"),
        Column("bytes_per_vector", "a vector", unit="bytes"),
    )
    scale = {"recall_at_10": 100.0}
    rows = []
    for line in indexes.to_dict("records"):
        cells = (Cell(value=scale.get(column.key, 1.0) * line[column.key]) for column in columns)
        rows.append(Row(line["index"], line["index"], tuple(cells)))
    galleries = " or ".join(f"{size:,}" for size in sorted(indexes["gallery_size"].unique()))
    real = f", of which {int(indexes['real_images'].max()):,} real images" if "real_images" in indexes else ""
    queries = f"{int(indexes['queries'].max()):,} captions ask; " if "queries" in indexes else ""
    return asked.table(
        "Approximate nearest neighbours against exact search",
        columns,
        rows,
        f"How many of the exact ten nearest images the index finds; {queries}{galleries} vectors{real}; an IVF "
        f"index reads an eighth of its lists, one that refines (RFlat, Refine) scores ten times as many again; time "
        f"is the median of one query{f', on {machine(indexes)}' if 'device' in indexes else ''}. Not in the paper.",
        header="index",
    )


KIND = Kind(Entry, reads=(frame("index_recall", "index_recall.csv"),), make=index_table, requires="latency")
