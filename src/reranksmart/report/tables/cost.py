"""Parameters and disk of each system."""

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Entry, Kind
from reranksmart.report.reading import frame
from reranksmart.report.table import Cell, Column, Row, Table
from reranksmart.values.frames import Frame


def cost_table(costs: Frame, asked: Asked) -> Table:
    """Separate training holds two models, joint training one."""
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
            asked.label(line["system"]),
            tuple(Cell(value=float(line[column.key])) for column in columns),
            paper_key=line["system"],
        )
        for line in costs.to_dict("records")
    ]
    return asked.table(
        "Parameters and disk: separate against joint",
        columns,
        rows,
        "Models that a system holds, their parameters together and the bytes of their weights"
        + ("; what is stored of an image for them to read: regions, pixels or vision states." if kept else "."),
        paper=("cost", "MSCOCO 5k"),
    )


KIND = Kind(Entry, reads=(frame("latency", "cost.csv"),), make=cost_table, requires="latency")
