"""Parameters and disk of each system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Entry, Kind
from reranksmart.report.labels import system_label
from reranksmart.report.reading import frame
from reranksmart.report.table import Cell, Column, Row, Table

if TYPE_CHECKING:
    import pandas as pd


def cost_table(costs: pd.DataFrame, asked: Asked) -> Table:
    """Parameters and disk of each system: separate training holds two models, joint training one."""
    kept = "bytes_per_image" in costs
    columns = (
        Column("models", "models", unit="count"),
        Column("parameters", "parameters", unit="count"),
        Column("bytes", "disk", unit="bytes"),
        *((Column("bytes_per_image", "an image", unit="bytes"),) if kept else ()),
    )
    rows = [
        Row(
            line["system"],
            system_label(line["system"], asked.labels),
            tuple(Cell(value=float(line[column.key])) for column in columns),
            paper_key=line["system"],
        )
        for line in costs.to_dict("records")
    ]
    return Table(
        name=asked.name,
        title="Parameters and disk: separate against joint",
        caption="Models that a system holds, their parameters together and the bytes of their weights"
        + ("; what is stored of an image for them to read: regions, pixels or vision states." if kept else "."),
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=asked.dataset,
        paper_table="cost",
        paper_dataset="MSCOCO 5k",
    )


KIND = Kind(
    Entry,
    reads=(frame("latency", "cost.csv"),),
    make=cost_table,
    requires="latency",
)
