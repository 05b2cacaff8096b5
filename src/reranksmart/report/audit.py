"""What each training set shares with what its models are tested on: a table, and marks for the cells of others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from reranksmart.files.storage import read_json
from reranksmart.report.tables import Cell, Column, Row, Table

_COLUMNS = (
    Column("trained_images", "images trained or selected on", unit="count", in_paper=False),
    Column("tested_images", "images in the gallery", unit="count", in_paper=False),
    Column("shared", "shared", unit="count", in_paper=False),
)
# Of a cell: the same in a row of an audit.
_COUNTS = {"leaked_images": "shared", "gallery_images": "tested_images"}


def audit_table(rows: Iterable[Mapping[str, Any]], *, dataset: str = "") -> Table:
    """One row for each split that is learned from and each test set; ``rows`` are those of all audits."""
    found = list(rows)
    return Table(
        name="audit",
        title="Images of the training that stand in a test",
        caption="Compared by id and, where there are pictures, by content (sha256), before any training. A test on images "
        "of the training is refused unless the configuration allows it by name (allowed_leaks).",
        header="trained, tested",
        columns=_COLUMNS,
        rows=tuple(
            Row(
                f"{row['trained']} {row['tested']}",
                f"{row['trained']}, {row['tested']}" + (" (allowed)" if row["shared"] else ""),
                tuple(Cell(value=float(row[column.key])) for column in _COLUMNS),
            )
            for row in found
        ),
        dataset=dataset,
    )


def with_leaks(rows: pd.DataFrame, audits: Iterable[Path]) -> pd.DataFrame:
    """The rows of measures or comparisons with how many images of the gallery their models know.

    ``audits`` are files named by their training set; columns ``leaked_images`` and ``gallery_images`` are 0 for tests
    that none of them is about.
    """
    found = [
        {"training_set": path.stem, "test_set": row["tested"], **{name: row[key] for name, key in _COUNTS.items()}}
        for path in audits
        for row in read_json(path)
    ]
    if not found:
        return rows.assign(**dict.fromkeys(_COUNTS, 0))
    keys = ["training_set", "test_set"]
    of_roles = pd.DataFrame(found).groupby(keys, as_index=False)  # train and dev, which share none
    known = of_roles.agg(leaked_images=("leaked_images", "sum"), gallery_images=("gallery_images", "max"))
    joined = rows.merge(known, on=keys, how="left", validate="many_to_one")
    return joined.fillna(dict.fromkeys(_COUNTS, 0)).astype(dict.fromkeys(_COUNTS, int))


def leak_of(row: Mapping[str, Any] | pd.Series) -> dict[str, Any]:
    """The counts of ``with_leaks`` for a cell made from this row; nothing where the model knows none of the images."""
    if not row.get("leaked_images", 0):
        return {}
    return {name: int(row[name]) for name in _COUNTS}
