"""Marks for what was tested on images of its training, which the audits of the training sets tell."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from reranksmart.files.storage import read_json
from reranksmart.values.frames import Frame, Series

# Of a cell: the same in a row of an audit.
_COUNTS = {"leaked_images": "shared", "gallery_images": "tested_images"}


def with_leaks(rows: Frame, audits: Iterable[Path]) -> Frame:
    """The rows of measures or comparisons with how many images of the gallery their models know.

    ``audits`` are files named by their training set; columns ``leaked_images`` and ``gallery_images`` are 0 for tests
    that none of them is about.
    """
    import pandas as pd

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


def leak_of(row: Mapping[str, Any] | Series) -> dict[str, Any]:
    """The counts of ``with_leaks`` for a cell made from this row; nothing where the model knows none of the images."""
    if not row.get("leaked_images", 0):
        return {}
    return {name: int(row[name]) for name in _COUNTS}
