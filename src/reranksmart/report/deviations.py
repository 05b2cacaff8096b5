"""Ours minus the paper's, cell by cell: within, outside, or not run, and then why."""

from collections.abc import Iterable

import pandas as pd

from reranksmart.report.labels import MISSING, number, system_label
from reranksmart.report.table import Cell, Column, Row, Table

WITHIN, OUTSIDE, NOT_RUN, UNKNOWN = "within", "outside", "not run", "unknown"
# How far a reproduction may lie from the paper: points of a recall, points of their sum, or a factor of a time.
POINTS, RSUM_POINTS, TIME_FACTOR = 1.0, 3.0, 2.0


def deviations(tables: Iterable[Table], numbers: pd.DataFrame) -> pd.DataFrame:
    """One row for each cell of the paper's tables.

    Columns: table, row, column, dataset (the paper's), paper, source, ours, low, high, our_dataset, difference, status,
    reason. A cell that was measured on another dataset keeps its value and difference but counts as not run; one whose
    published value is not known to this project is unknown. What the field reaches is not a cell of the paper.
    """
    ours: dict[tuple[str, str, str], list[tuple[Table, Cell, Column]]] = {}
    for table in tables:
        for row in table.rows if table.paper_table else ():
            for cell, column in zip(row.cells, table.columns, strict=True):
                ours.setdefault((table.paper_table, row.paper_key, column.key), []).append((table, cell, column))
    published = numbers[~numbers["table"].str.startswith("field")]
    return pd.DataFrame([_deviation(line, ours) for line in published.to_dict("records")])


def _deviation(line: dict, ours: dict[tuple[str, str, str], list[tuple[Table, Cell, Column]]]) -> dict[str, object]:
    found = {
        **{name: line[name] for name in ("table", "row", "column", "dataset")},
        "paper": line["value"],
        "source": line["source"],
        "ours": None,
        "low": None,
        "high": None,
        "our_dataset": "",
        "difference": None,
        "status": UNKNOWN if pd.isna(line["value"]) else NOT_RUN,
    }
    key = (line["table"], line["row"], line["column"])
    if key not in ours:
        return {**found, "reason": "no table of this run has this cell"}
    # The table of the cell's own dataset if there is one, and of those one that has the cell.
    table, cell, column = max(
        ours[key], key=lambda found: (found[0].dataset == line["dataset"], found[1].value is not None)
    )
    if cell.value is None:
        return {**found, "our_dataset": table.dataset, "reason": cell.missing}
    found |= {"ours": cell.value, "low": cell.low, "high": cell.high, "our_dataset": table.dataset}
    if pd.isna(line["value"]):
        return {**found, "reason": "the paper's value is not known to this project"}
    found |= {"difference": cell.value - line["value"]}
    if table.dataset != line["dataset"]:
        return {**found, "reason": f"ran on {table.dataset or 'another dataset'} instead"}
    if cell.extrapolated:
        return {**found, "reason": "ours is extrapolated"}
    if cell.leaked_images:
        return {**found, "reason": f"ours was tested on {cell.leaked_images:,} images of its training"}
    near = _near(cell.value, line["value"], column)
    return {**found, "status": WITHIN if near else OUTSIDE, "reason": ""}


def _near(ours: float, paper: float, column: Column) -> bool:
    if column.unit in ("ms", "seconds"):
        return paper / TIME_FACTOR <= ours <= paper * TIME_FACTOR
    return abs(ours - paper) <= (RSUM_POINTS if column.key == "rsum" else POINTS)


def judged(found: pd.DataFrame) -> bool:
    """Whether any cell was measured on the paper's own dataset."""
    return bool(found["status"].isin([WITHIN, OUTSIDE]).any())


def deviations_table(found: pd.DataFrame) -> Table:
    """The deviations as a table of the report."""
    columns = tuple(Column(key, key, unit="words") for key in ("paper", "ours", "difference", "status"))
    rows = []
    known = found[found["status"] != UNKNOWN]
    for line in known.to_dict("records"):
        unit = "ms" if "latency_ms" in line["column"] else "seconds" if line["column"] == "seconds" else "percent"
        values = [MISSING if pd.isna(line[key]) else number(line[key], unit) for key in ("paper", "ours")]
        difference = MISSING if pd.isna(line["difference"]) else _signed(line["difference"], unit)
        status = f"{line['status']} ({line['reason']})" if line["reason"] else line["status"]
        cells = tuple(Cell(text=text) for text in (*values, difference, status))
        label = f"{_row_label(line['row'])}, {_column_label(line['column'])}, {line['dataset']}"
        rows.append(Row(label, label, cells, group=line["table"]))
    counts = found["status"].value_counts()
    return Table(
        name="deviations",
        title="Ours minus the paper's",
        caption=f"{len(known)} cells of the paper are known to this project, {len(found) - len(known)} more are not: "
        + ", ".join(f"{counts.get(status, 0)} {status}" for status in (WITHIN, OUTSIDE, NOT_RUN))
        + f". Within: {POINTS:g} point of a recall or mR, {RSUM_POINTS:g} of rsum, a factor {TIME_FACTOR:g} of a time.",
        header="cell",
        columns=columns,
        rows=tuple(rows),
    )


def _row_label(row: str) -> str:
    system, _, depth = row.partition(" k=")
    return system_label("Coop" if system == "coop" else system, depth=int(depth or 0))


def _column_label(column: str) -> str:
    words = column.replace("text-to-image", "IR").replace("image-to-text", "TR").replace("50000", "50,000")
    return words.replace("latency_ms", "latency").replace("seconds", "time")


def _signed(difference: float, unit: str) -> str:
    return f"{'+' if difference >= 0 else '−'}{number(abs(difference), unit)}"
