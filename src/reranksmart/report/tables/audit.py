"""Images of the training that stand in a test (beyond the paper)."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reranksmart.files.storage import read_json
from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Entry, Kind, Reads
from reranksmart.report.table import Cell, Column, Row, Table

_COLUMNS = (
    Column("trained_images", "images trained or selected on", unit="count", in_paper=False),
    Column("tested_images", "images in the gallery", unit="count", in_paper=False),
    Column("shared", "shared", unit="count", in_paper=False),
)
_ALIKE = Column("alike", "look alike", unit="count", in_paper=False)


def audit_table(audits: Iterable[Mapping[str, Any]], asked: Asked) -> Table:
    """One row for each split that is learned from and each test set; ``audits`` are the rows of all audits."""
    audited = list(audits)
    alike = any(row["alike"] for row in audited)
    columns = (*_COLUMNS, _ALIKE) if alike else _COLUMNS
    rows = [
        Row(
            f"{row['trained']} {row['tested']}",
            f"{row['trained']}, {row['tested']}" + (" (allowed)" if row["shared"] else ""),
            tuple(Cell(value=float(row[column.key])) for column in columns),
        )
        for row in audited
    ]
    return asked.table(
        "Images of the training that stand in a test",
        columns,
        rows,
        "Compared by id and, where there are pictures, by content (sha256), before any training. A test on images "
        "of the training is refused unless the configuration allows it by name (allowed_leaks)."
        + (" Look alike: pictures of another dataset, as if saved anew." if alike else ""),
        header="trained, tested",
    )


def read_audits(files: Sequence[Path], asked: Asked) -> list[dict[str, Any]]:
    return [row for path in files for row in read_json(path)]


KIND = Kind(Entry, reads=(Reads(lambda places: places.audits(), "*.json", read_audits),), make=audit_table)
