"""What a table or figure is made from: measures, and what the configuration says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from reranksmart.evaluation.significance import aggregate_seeds
from reranksmart.files.storage import read_json
from reranksmart.report.audit import with_leaks
from reranksmart.report.provenance import require_one_code_version


@dataclass(frozen=True)
class ReportSettings:
    """What the configuration says of a table or figure. ``scope`` is the main experiment's unless said otherwise.

    ``backbones`` are those of an experiment with several: each with the language that its rows are of.
    """

    scope: Mapping[str, Any]
    dataset: str
    labels: Mapping[str, str]
    systems: Sequence[str] = ()
    other_test_set: str = ""
    fractions: Mapping[str, float] | None = None
    languages: Sequence[str] = ()
    seeds: int = 1
    kind: str = ""
    title: str = ""
    paper_dataset: str = ""
    test_sets: Sequence[tuple[str, str]] = ()
    published: Sequence[str] = ()
    audits: Sequence[str] = ()
    planned: Mapping[str, Any] | None = None
    backbones: Sequence[tuple[str, str]] = ()


def read_measures(folders: Sequence[Path], audits: Sequence[str] = ()) -> pd.DataFrame:
    """The long table of all measures folders, over seeds; ValueError where two code versions made them.

    ``audits``: files on tests whose leak is allowed.
    """
    require_one_code_version({str(folder): read_json(folder / "provenance.json") for folder in folders})
    rows = pd.concat([pd.read_csv(folder / "measures.csv") for folder in folders], ignore_index=True)
    return with_leaks(aggregate_seeds(rows), map(Path, audits))
