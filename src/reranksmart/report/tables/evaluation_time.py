"""Time of a whole evaluation (paper, Table 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Entry, Kind
from reranksmart.report.labels import system_label
from reranksmart.report.reading import frame
from reranksmart.report.table import Cell, Column, Row, Table
from reranksmart.report.times import PAPER_ROWS, machine

if TYPE_CHECKING:
    import pandas as pd


def evaluation_time_table(times: pd.DataFrame, asked: Asked) -> Table:
    """Table 4: a whole evaluation, both directions, nothing cached."""
    columns = (
        Column("queries", "queries", unit="count", in_paper=False),
        Column("images", "images", unit="count", in_paper=False),
        Column("pairs", "pairs scored", unit="count", in_paper=False),
        Column("seconds", "time", unit="seconds"),
    )
    rows = []
    for line in times.to_dict("records"):
        counts = [Cell(value=float(line[column.key])) for column in columns[:-1]]
        seconds = Cell(value=float(line["seconds"]), extrapolated=bool(line["extrapolated"]))
        paper_key = PAPER_ROWS.get(line["system"], "-")
        label = system_label(line["system"], asked.labels)
        rows.append(Row(line["system"], label, (*counts, seconds), paper_key=paper_key))
    return Table(
        name=asked.name,
        title="Table 4: time of a whole evaluation",
        caption=f"Both directions, nothing encoded beforehand, each system timed once, on {machine(times)}; the paper's on one V100.",
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=asked.dataset,
        paper_table="table4",
        paper_dataset="MSCOCO 5k",
    )


KIND = Kind(
    Entry,
    reads=(frame("latency", "evaluation_time.csv"),),
    make=evaluation_time_table,
    requires="latency",
)
