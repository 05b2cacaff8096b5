"""Several test sets beside each other: a group of columns for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reranksmart.report.asked import Asked
from reranksmart.report.labels import system_label
from reranksmart.report.scope import MEASURES, SHORT_COLUMNS, cell_of, sizes
from reranksmart.report.table import Column, Row, Table

if TYPE_CHECKING:
    import pandas as pd


def table_of_test_sets(
    measures: pd.DataFrame,
    asked: Asked,
    *,
    labels: Mapping[str, str],
    keys: Mapping[str, str],
    title: str,
    sentence: str,
    paper_table: str,
    paper_dataset: str,
) -> Table:
    """Recalls on each test set, a row for each training set and system.

    ``labels`` gives the test sets' words in the order of the columns, ``keys`` what their columns' keys begin with.
    """
    scope = asked.named_scope
    chosen = scope.rows(measures, free=["system", "test_set", "training_set"])
    chosen = chosen[chosen["test_set"].isin(list(labels)) & chosen["training_set"].isin(list(asked.training_sets))]
    columns = tuple(
        Column(f"{keys[test_set]} {column.key}".lstrip(), f"{label}, {column.label}")
        for test_set, label in labels.items()
        for column in SHORT_COLUMNS
    )
    of_each = {label: sizes(chosen[chosen["test_set"] == test_set]) for test_set, label in labels.items()}
    size = (
        sizes(chosen)
        if len(set(of_each.values())) == 1
        else " ".join(f"{label.capitalize()}: {said}" for label, said in of_each.items() if said)
    )
    rows = []
    for training_set in sorted(asked.training_sets):
        for system in asked.systems:
            of_row = chosen[(chosen["training_set"] == training_set) & (chosen["system"] == system)]
            cells = tuple(
                cell_of(of_row[of_row["test_set"] == test_set], column.key)
                for test_set in labels
                for column in SHORT_COLUMNS
            )
            several = len(asked.training_sets) > 1
            key = f"{training_set} {system}" if several else system
            group = f"trained on {training_set}" if several else ""
            rows.append(Row(key, system_label(system, asked.labels), cells, paper_key=key, group=group))
    return Table(
        name=asked.name,
        title=title,
        caption=f"{sentence} {MEASURES} Re-ranking at k = {scope.depth}. {size}".lstrip(),
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=asked.dataset,
        paper_table=paper_table,
        paper_dataset=paper_dataset,
    )
