"""Time of a whole evaluation (paper, Table 4)."""

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Entry, Kind
from reranksmart.report.reading import frame
from reranksmart.report.table import Cell, Column, Row, Table
from reranksmart.report.times import PAPER_ROWS, machine
from reranksmart.values.frames import Frame


def evaluation_time_table(times: Frame, asked: Asked) -> Table:
    """Both directions, nothing cached."""
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
        rows.append(Row(line["system"], asked.label(line["system"]), (*counts, seconds), paper_key=paper_key))
    return asked.table(
        "Table 4: time of a whole evaluation",
        columns,
        rows,
        f"Both directions, nothing encoded beforehand, each system timed once, on {machine(times)}; the paper's on one V100.",
        paper=("table4", "MSCOCO 5k"),
    )


KIND = Kind(Entry, reads=(frame("latency", "evaluation_time.csv"),), make=evaluation_time_table, requires="latency")
