"""How many of the true objects the detector covers (beyond the paper)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reranksmart.files.storage import read_json
from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Entry, Kind, Reads
from reranksmart.report.table import Cell, Column, Row, Table

_COLUMNS = (
    Column("recall", "recall at IoU 0.5"),
    Column("objects", "objects", unit="count"),
    Column("images", "images", unit="count"),
    Column("regions_per_image", "regions an image", unit="count"),
    Column("most_regions", "most regions", unit="count"),
    Column("whole_images", "nothing found", unit="count"),
)
_SCALES = {"recall": 100}


def region_table(recalls: Mapping[str, Mapping[str, Any]], asked: Asked) -> Table:
    """One row a split: ``recalls`` holds the recall.json of each."""
    rows = [
        Row(split, split, tuple(Cell(value=_SCALES.get(column.key, 1.0) * found[column.key]) for column in _COLUMNS))
        for split, found in recalls.items()
    ]
    return asked.table(
        "Region features: how many of the true objects the detector covers",
        _COLUMNS,
        rows,
        "Percent of the true objects that some region of their image overlaps by half (intersection over "
        "union), pooled over all objects of a split. A picture in which nothing is found is its own one region. The "
        "proposals' ranking was tuned on scenes of other seeds and on train scenes. Not in the paper.",
        header="split",
    )


def read_recalls(files: Sequence[Path], asked: Asked) -> dict[str, dict[str, Any]]:
    return {path.parent.name: read_json(path) for path in files}


def require_scenes(config: Any, path: str, entry: Entry) -> None:
    """ValueError where no dataset knows its true objects."""
    if not any(dataset.needs_stamps for dataset in config.datasets.values()):
        raise ValueError(f"{path}: the true objects are known of composed scenes alone; set this table to null.")


KIND = Kind(
    Entry,
    reads=(Reads(lambda places: places.scenes(), "recall.json", read_recalls),),
    make=region_table,
    check=require_scenes,
)
