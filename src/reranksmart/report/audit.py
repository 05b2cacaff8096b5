"""The table of the audit: what each training set shares with what its models are tested on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reranksmart.report.tables import Cell, Column, Row, Table

_COLUMNS = (
    Column("trained_images", "images trained or selected on", unit="count", in_paper=False),
    Column("tested_images", "images in the gallery", unit="count", in_paper=False),
    Column("shared", "shared", unit="count", in_paper=False),
)


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
