"""One table of several backbones: the rows of each stand together under its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reranksmart.report.tables import Table


def joined(tables: Mapping[str, Table]) -> Table:
    """The rows of tables that differ in their backbone alone; the paper's values stand beside the first one's."""
    first = next(iter(tables.values()))
    rows = [
        replace(
            row,
            group=f"{backbone}, {row.group}" if row.group else backbone,
            paper_key=row.paper_key if table is first else "-",
        )
        for backbone, table in tables.items()
        for row in table.rows
    ]
    return replace(first, rows=tuple(rows))
