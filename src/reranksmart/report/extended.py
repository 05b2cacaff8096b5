"""Tables of measures by further judgements of relevance: ECCV Caption and CxC, for each system before and after re-ranking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from reranksmart.report.labels import DIRECTIONS, SHORT_DIRECTIONS, SYSTEM_LABELS, system_label
from reranksmart.report.scope import NOT_RUN, Scope, by_system, cell_of, sizes
from reranksmart.report.tables import Cell, Column, Row, Table

_ABOUT: Mapping[str, tuple[str, tuple[str, ...], str]] = {
    "eccv_caption": (
        "ECCV Caption: relevance judged beyond the described image",
        ("mAP@R", "R-Precision", "R@1"),
        "R is the number of a query's relevant items (Chun et al. 2022): R-Precision is their share among the first R, "
        "mAP@R the mean precision at those of the first R that are relevant.",
    ),
    "cxc": (
        "CxC: relevance judged beyond the described image",
        ("R@1", "R@5", "R@10"),
        "R@K counts a query as answered if any item judged relevant is among the first K (Parekh et al. 2021).",
    ),
}


def extended_table(
    measures: pd.DataFrame,
    scope: Scope,
    *,
    collection: str,
    systems: Sequence[str],
    labels: Mapping[str, str] = SYSTEM_LABELS,
    dataset: str = "",
) -> Table:
    """A row for each system and depth k; whether re-ranking helps by these judgements shows beside its retriever."""
    title, names, sentence = _ABOUT[collection]
    chosen = scope.rows(measures, free=["system", "depth"])
    columns = tuple(
        Column(f"{direction} {name}", f"{SHORT_DIRECTIONS[direction]} {name}")
        for direction in DIRECTIONS
        if direction != "both"
        for name in names
    )
    rows = []
    for system, of_system in by_system(chosen, systems):
        for depth in sorted(of_system["depth"].unique()):
            of_depth = of_system[of_system["depth"] == depth]
            cells = tuple(cell_of(of_depth, column.key) for column in columns)
            rows.append(Row(f"{system} k={depth:g}", system_label(system, labels, depth=int(depth)), cells))
        if of_system.empty:
            rows.append(Row(system, system_label(system, labels), (Cell(missing=NOT_RUN),) * len(columns)))
    return Table(
        name=collection,
        title=title,
        caption=f"In percent; IR: text-to-image, TR: image-to-text. {sentence} Items below the k that are re-ranked keep "
        f"the retriever's order. {sizes(chosen)} Not in the paper.",
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=dataset,
    )
