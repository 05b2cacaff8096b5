"""Time of one query, by system and gallery size (paper, Table 3)."""

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Entry, Kind
from reranksmart.report.labels import plural
from reranksmart.report.reading import LATENCY
from reranksmart.report.scope import NOT_RUN
from reranksmart.report.table import Cell, Column, Row, Table
from reranksmart.report.times import PAPER_ROWS, machine, quantiles
from reranksmart.values.frames import Frame

PAPER_GALLERY = 50_000
PAPER_DEPTH = 20


def latency_table(latency: Frame, asked: Asked) -> Table:
    """The paper's Coop stands beside the depth of its own."""
    totals = quantiles(latency[latency["stage"] == "total"])
    sizes = sorted(set(totals["gallery_size"]) | {PAPER_GALLERY})
    columns = tuple(Column(f"latency_ms at {size} images", f"{size:,} images", unit="ms") for size in sizes)
    rows = []
    for (system, depth), of_point in totals.groupby(["system", "depth"], sort=False):
        cells = tuple(_timed_cell(of_point[of_point["gallery_size"] == size]) for size in sizes)
        paper_key = PAPER_ROWS.get(system, "-") if depth in (0, PAPER_DEPTH) else "-"
        rows.append(Row(f"{system} k={depth}", asked.label(system, depth), cells, paper_key=paper_key))
    real = int(latency["real_images"].max())
    return asked.table(
        "Table 3: latency of one query",
        columns,
        rows,
        "Text-to-image: encode the caption, search the images' vectors, score the pairs; median and, in "
        f"brackets, 5th to 95th percentile of {_repeats(totals)} on {machine(latency)}, one query at a time. "
        f"Galleries of more than {real:,} images are filled with distractor vectors; pairs beyond them repeat images. "
        "The paper's values are from its own machine.",
        paper=("table3", "MSCOCO 5k"),
    )


def _timed_cell(point: Frame) -> Cell:
    if point.empty:
        return Cell(missing=NOT_RUN)
    row = point.iloc[0]
    low, high = (float(row[name]) if row["repeats"] > 1 else None for name in ("low", "high"))
    return Cell(value=float(row["value"]), low=low, high=high, extrapolated=bool(row["extrapolated"]))


def _repeats(points: Frame) -> str:
    counts = sorted(int(count) for count in points["repeats"].unique())
    return plural(counts[0], "repeat") if len(counts) == 1 else f"{counts[0]} to {counts[-1]} repeats"


KIND = Kind(Entry, reads=(LATENCY,), make=latency_table, requires="latency")
