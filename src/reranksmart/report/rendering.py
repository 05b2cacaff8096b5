"""A table written: what each cell, interval and note says, as markdown and CSV; and as JSON, to be read again."""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate

from reranksmart.report.labels import MISSING, number, span
from reranksmart.report.table import Cell, Column, Row, Table

LEAKED = "†"
UNKNOWN_TO_US = "not known to this project"
UNKNOWN_CELLS = f"Its cells with {MISSING} are {UNKNOWN_TO_US}."
_EXACT_REACH = -100 * math.log(0.025)  # of n images none differs: 97.5 % sure that fewer than 1 - 0.025^(1/n) do


def value_text(cell: Cell, column: Column) -> str:
    """Ours alone: the value, a dagger where the model knew images, a star where extrapolated; or the sign for missing."""
    if cell.text:
        return cell.text
    if cell.value is None:
        return MISSING
    signs = (LEAKED if cell.leaked_images else "") + ("*" if cell.extrapolated else "")
    return number(cell.value, column.unit, measured=True) + signs


def interval_text(cell: Cell, column: Column) -> str:
    """The interval or the deviation over seeds beside the value; empty where there is none."""
    if cell.value is None:
        return ""
    if cell.sd is not None:
        return f"± {number(cell.sd, column.unit).lstrip('+')}"
    if cell.low is None or cell.high is None:
        return ""
    return span(cell.low, cell.high, around=cell.value, unit=column.unit)


def paper_text(cell: Cell, column: Column) -> str:
    """The paper's value, or the sign for missing; empty in a column that the paper cannot have."""
    if not column.in_paper:
        return ""
    return MISSING if cell.paper is None else number(cell.paper, column.unit)


def notes(table: Table) -> list[str]:
    """What the signs in the table mean: why cells are missing, what leaked, what is extrapolated, what is not known."""
    cells = [cell for row in table.rows for cell in row.cells]
    reasons = list(dict.fromkeys(cell.missing for cell in cells if cell.missing))
    found = [f"{MISSING} {reason}." for reason in reasons]
    found += leak_notes(table)
    if any(cell.extrapolated for cell in cells):
        found.append("* extrapolated, not run.")
    if any(cell.value is not None and cell.low == cell.value == cell.high for cell in cells):
        found.append(
            "An interval without width says only that all n images (of twins: pairs) agree: up to "
            f"{_EXACT_REACH:.0f} / n % of others may not (exact, 95 %)."
        )
    if not table.paper_dataset:
        return found
    if not table.has_paper_values:
        return [*found, f"The paper's values of this table are {UNKNOWN_TO_US}."]
    same = table.dataset == table.paper_dataset
    where = "" if same else ", another dataset: compare differences between rows, not values"
    found.append(f"Paper: {table.paper_dataset}{where}. {UNKNOWN_CELLS}")
    return found


def leak_notes(table: Table) -> list[str]:
    """What the dagger means, with how many images it is about; empty where no cell has one."""
    cells = [cell for row in table.rows for cell in row.cells if cell.leaked_images]
    counts = dict.fromkeys(f"{cell.leaked_images:,} of {cell.gallery_images:,}" for cell in cells)
    if not counts:
        return []
    told = "tested on images that the model was trained or selected on, which the configuration allows (allowed_leaks)"
    return [f"{LEAKED} {told}: {' or '.join(counts)} images of the gallery."]


def best(table: Table) -> set[tuple[int, int]]:
    """Row and column of each cell that no other of its group surpasses, where a table sets systems beside each other."""
    found = set()
    for column, about in enumerate(table.columns):
        for group in dict.fromkeys(
            row.group for row in table.rows if table.header == "system" and about.unit == "percent"
        ):
            rows = [(place, row.cells[column]) for place, row in enumerate(table.rows) if row.group == group]
            shown = {place: round(cell.value, 1) for place, cell in rows if cell.value is not None}
            if len(shown) > 1:
                found |= {(place, column) for place, value in shown.items() if value == max(shown.values())}
    return found


def one_line(text: str) -> str:
    """A label of the configuration as a table can hold it."""
    return " ".join(text.split())


def _cell(text: str) -> str:
    return one_line(text).replace("|", "\\|")


def wide(table: Table) -> list[list[str]]:
    """The table as text, row by row: a label, then a cell a column, the best in bold; the paper's values under ours."""
    lines: list[list[str]] = []
    group, winners = "", best(table)
    for place, row in enumerate(table.rows):
        if row.group != group:
            group = row.group
            lines.append([f"{group}:", *[""] * len(table.columns)])
        pairs = list(zip(row.cells, table.columns, strict=True))
        ours = []
        for column, pair in enumerate(pairs):
            value = f"**{value_text(*pair)}**" if (place, column) in winners else value_text(*pair)
            ours.append(f"{value} {interval_text(*pair)}".rstrip())
        lines.append([row.label, *ours])
        if any(cell.paper is not None for cell in row.cells):
            lines.append([f"{row.label} (paper)", *(paper_text(*pair) for pair in pairs)])
    return lines


def markdown(table: Table) -> str:
    headers = [_cell(name) for name in (table.header, *(column.label for column in table.columns))]
    lines = [[_cell(cell) for cell in line] for line in wide(table)]
    body = tabulate(lines, headers=headers, tablefmt="github", disable_numparse=True)
    remarks = "".join(f"\n\n{note}" for note in notes(table))
    return f"**{one_line(table.title)}**\n\n{body}\n\n{table.caption}{remarks}\n"


def tidy(table: Table) -> pd.DataFrame:
    """One row a cell, numbers as numbers: for whoever wants to go on calculating."""
    return pd.DataFrame(
        [
            {
                "group": row.group,
                "row": row.key,
                "column": column.key,
                "unit": column.unit,
                **asdict(cell),
                "dataset": table.dataset,
                "paper_dataset": table.paper_dataset,
            }
            for row in table.rows
            for cell, column in zip(row.cells, table.columns, strict=True)
        ]
    )


def read_written_table(path: Path) -> Table:
    """The table that ``write_table`` wrote as json."""
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    columns = tuple(Column(**column) for column in raw.pop("columns"))
    rows = tuple(_row(row) for row in raw.pop("rows"))
    return Table(**raw, columns=columns, rows=rows)


def _row(raw: dict[str, Any]) -> Row:
    cells: Iterable[dict[str, Any]] = raw.pop("cells")
    return Row(**raw, cells=tuple(Cell(**cell) for cell in cells))
