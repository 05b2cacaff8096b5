"""The table of what the detector found: its recall of the true objects, where they are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reranksmart.report.tables import Cell, Column, Row, Table

_COLUMNS = (
    Column("recall", "recall at IoU 0.5"),
    Column("objects", "objects", unit="count"),
    Column("images", "images", unit="count"),
    Column("regions_per_image", "regions an image", unit="count"),
    Column("most_regions", "most regions", unit="count"),
    Column("whole_images", "nothing found", unit="count"),
)


def region_table(recalls: Mapping[str, Mapping[str, Any]], *, dataset: str = "") -> Table:
    """One row a split: ``recalls`` holds the recall.json of each."""
    rows = [
        Row(split, split, tuple(Cell(value=_scaled(column.key, found[column.key])) for column in _COLUMNS))
        for split, found in recalls.items()
    ]
    return Table(
        name="region_recall",
        title="Region features: how many of the true objects the detector covers",
        caption="Percent of the true objects that some region of their image overlaps by half (intersection over "
        "union), pooled over all objects of a split. A picture in which nothing is found is its own one region. The "
        "proposals' ranking was tuned on scenes of other seeds and on train scenes. Not in the paper.",
        header="split",
        columns=_COLUMNS,
        rows=tuple(rows),
        dataset=dataset,
    )


def _scaled(key: str, value: float) -> float:
    return 100 * value if key == "recall" else float(value)
