"""The paper's own numbers, each with its source; a cell whose value this project does not know is empty."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path

from reranksmart.files.reading import reading
from reranksmart.report.table import Cell, Row, Table
from reranksmart.values.frames import Frame

_COLUMNS = ["table", "row", "column", "value", "source", "dataset"]


def paper_numbers(path: Path | None = None) -> Frame:
    """The rows of ``paper_numbers.csv``: table, row, column, value (missing where unknown), source, dataset."""
    if path is None:
        with as_file(files("reranksmart.report") / "paper_numbers.csv") as shipped:
            return paper_numbers(shipped)
    import pandas as pd

    text = {name: str for name in _COLUMNS if name != "value"}
    with reading(path, remedy="Restore it from this project's source, or mend its rows."):
        numbers = pd.read_csv(path, dtype={**text, "value": float}).fillna({"source": ""})
    if list(numbers.columns) != _COLUMNS:
        raise ValueError(
            f"{path} has the columns {list(numbers.columns)}; the paper's numbers have {_COLUMNS}. Restore its header."
        )
    repeated = numbers.duplicated(["table", "row", "column", "dataset"])
    if repeated.any():
        raise ValueError(f"{path} gives two values for {numbers[repeated].iloc[0].to_dict()}; remove one of them")
    unsourced = numbers["value"].notna() & (numbers["source"] == "")
    if unsourced.any():
        raise ValueError(f"{path} gives a value without a source: {numbers[unsourced].iloc[0].to_dict()}; say whence")
    return numbers


def paper_value(numbers: Frame, *, table: str, row: str, column: str, dataset: str) -> float | None:
    """The paper's value of one cell, or None where it is not known."""
    wanted = {"table": table, "row": row, "column": column, "dataset": dataset}
    chosen = numbers
    for name, value in wanted.items():
        chosen = chosen[chosen[name] == value]
    return None if chosen.empty or chosen["value"].isna().all() else float(chosen["value"].iloc[0])


def with_paper(table: Table, numbers: Frame) -> Table:
    """The table with the paper's value of ``table.paper_dataset`` in each cell that has one.

    A table that is none of the paper's (no ``paper_table``) comes back as it is.
    """
    if not table.paper_table:
        return table
    rows = []
    for row in table.rows:
        found = [
            paper_value(
                numbers, table=table.paper_table, row=row.paper_key, column=column.key, dataset=table.paper_dataset
            )
            for column in table.columns
        ]
        cells = tuple(replace(cell, paper=value) for cell, value in zip(row.cells, found, strict=True))
        rows.append(replace(row, cells=cells))
    return replace(table, rows=tuple(rows))


def with_published(table: Table, numbers: Frame, names: Sequence[str], *, dataset: str) -> Table:
    """The table with a row for each of these published results of others on ``dataset``; ValueError for unknown ones.

    Where the paper itself has no value of the table, nothing more is said of the paper.
    """
    if not names:
        return table
    field = numbers[numbers["table"] == "field"]
    if unknown := sorted(set(names) - set(field["row"])):
        raise ValueError(f"no published results are known of {unknown}; there are {sorted(set(field['row']))}")
    rows = []
    for name in names:
        found = [paper_value(field, table="field", row=name, column=c.key, dataset=dataset) for c in table.columns]
        cells = tuple(Cell(missing=_NOT_PUBLISHED) if value is None else Cell(value=value) for value in found)
        rows.append(Row(f"published {name}", name, cells, paper_key="-", group="published by others"))
    own = table if table.has_paper_values else replace(table, paper_table="", paper_dataset="")
    return replace(own, rows=(*table.rows, *rows))


_NOT_PUBLISHED = "not published, or not known to this project"
