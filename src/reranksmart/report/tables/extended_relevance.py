"""Relevance judged beyond the described image: ECCV Caption and CxC (beyond the paper)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, Reads, TableOfExperiments
from reranksmart.report.labels import DIRECTIONS, SHORT_DIRECTIONS, system_label
from reranksmart.report.reading import read_measures
from reranksmart.report.scope import NOT_RUN, by_system, cell_of, sizes
from reranksmart.report.table import Cell, Column, Row, Table
from reranksmart.values.recalls import RECALLS

if TYPE_CHECKING:
    import pandas as pd

_ABOUT: Mapping[str, tuple[str, tuple[str, ...], str]] = {
    "eccv_caption": (
        "ECCV Caption: relevance judged beyond the described image",
        ("mAP@R", "R-Precision", "R@1"),
        "R is the number of a query's relevant items (Chun et al. 2022): R-Precision is their share among the first R, "
        "mAP@R the mean precision at those of the first R that are relevant.",
    ),
    "cxc": (
        "CxC: relevance judged beyond the described image",
        RECALLS,
        "R@K counts a query as answered if any item judged relevant is among the first K (Parekh et al. 2021).",
    ),
}


class Settings(TableOfExperiments):
    collection: Literal["eccv_caption", "cxc"] = Field(description="of judgements")


def extended_table(measures: pd.DataFrame, asked: Asked) -> Table:
    """A row for each system and depth k; whether re-ranking helps by these judgements shows beside its retriever."""
    scope = asked.named_scope
    title, names, sentence = _ABOUT[asked.settings["collection"]]
    chosen = scope.rows(measures, free=["system", "depth"])
    columns = tuple(
        Column(f"{direction} {name}", f"{SHORT_DIRECTIONS[direction]} {name}")
        for direction in DIRECTIONS
        if direction != "both"
        for name in names
    )
    rows = []
    for system, of_system in by_system(chosen, asked.systems):
        for depth in sorted(of_system["depth"].unique()):
            of_depth = of_system[of_system["depth"] == depth]
            cells = tuple(cell_of(of_depth, column.key) for column in columns)
            rows.append(Row(f"{system} k={depth:g}", system_label(system, asked.labels, depth=int(depth)), cells))
        if of_system.empty:
            rows.append(Row(system, system_label(system, asked.labels), (Cell(missing=NOT_RUN),) * len(columns)))
    return Table(
        name=asked.name,
        title=title,
        caption=f"In percent; IR: text-to-image, TR: image-to-text. {sentence} Items below the k that are re-ranked keep "
        f"the retriever's order. {sizes(chosen)} Not in the paper.",
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=asked.dataset,
    )


def require_judged(config: Any, path: str, entry: Settings) -> None:
    """ValueError where a test set is not measured by the judgements."""
    for name in entry.experiments:
        tested = config.experiments[name].test_sets
        if lacking := [t for t in tested if entry.collection not in config.test_sets[t].extended_relevance]:
            raise ValueError(
                f"experiments.{name}: {path} shows {entry.collection}, by which test sets {lacking} are not measured; write "
                f"extended_relevance: [{entry.collection}] into them, or take others"
            )


KIND = Kind(
    Settings,
    reads=(
        Reads(
            lambda places: places.measures(f"extended_measures/{places.entry.collection}"),
            "measures.csv",
            read_measures,
        ),
    ),
    make=extended_table,
    check=require_judged,
)
