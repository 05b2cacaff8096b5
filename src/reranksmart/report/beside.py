"""Shapes that several kinds of tables have: systems alone, or with a group of columns for each of several values."""

from collections.abc import Mapping

from reranksmart.report.asked import Asked
from reranksmart.report.scope import MEASURES, SHORT_COLUMNS, by_system, cell_of, sizes
from reranksmart.report.table import Column, Row, Table
from reranksmart.values.frames import Frame


def table_of_systems(
    measures: Frame, asked: Asked, title: str, remark: str = "", *, paper: tuple[str, str] = ("", "")
) -> Table:
    """Recalls, a row for each system."""
    chosen = asked.rows(measures)
    rows = [asked.row(chosen, system, SHORT_COLUMNS) for system in asked.systems]
    caption = f"{MEASURES} Re-ranking at k = {asked.named_scope.depth}. {sizes(chosen)}{remark}"
    return asked.table(title, SHORT_COLUMNS, rows, caption, paper=paper)


def table_of_mean_recalls(
    measures: Frame,
    asked: Asked,
    title: str,
    by: str,
    columns: Mapping[str, Column],
    *,
    said: str,
    remark: str = "",
    paper: tuple[str, str],
) -> Table:
    """Mean recall, a row for each system, with the column of each value of ``by``; ``said`` begins the caption."""
    chosen = asked.rows(measures, by)
    rows = [
        Row(
            system,
            asked.label(system),
            tuple(cell_of(found[found[by] == value], "mR") for value in columns),
            paper_key=system,
        )
        for system, found in by_system(chosen, asked.systems)
    ]
    size = sizes(chosen[chosen[by].isin(list(columns))])
    caption = f"{said} Re-ranking at k = {asked.named_scope.depth}. {size}{remark}"
    return asked.table(title, tuple(columns.values()), rows, caption, paper=paper)


def table_of_test_sets(
    measures: Frame,
    asked: Asked,
    *,
    labels: Mapping[str, str],
    keys: Mapping[str, str],
    title: str,
    sentence: str,
    paper: tuple[str, str],
) -> Table:
    """Recalls on each test set, a row for each training set and system.

    ``labels`` gives the test sets' words in the order of the columns, ``keys`` what their columns' keys begin with.
    """
    chosen = asked.rows(measures, "test_set", "training_set")
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
    several = len(asked.training_sets) > 1
    rows = []
    for training_set in sorted(asked.training_sets):
        for system, found in by_system(chosen[chosen["training_set"] == training_set], asked.systems):
            cells = tuple(
                cell_of(found[found["test_set"] == test_set], column.key)
                for test_set in labels
                for column in SHORT_COLUMNS
            )
            key = f"{training_set} {system}" if several else system
            group = f"trained on {training_set}" if several else ""
            rows.append(Row(key, asked.label(system), cells, paper_key=key, group=group))
    caption = f"{sentence} {MEASURES} Re-ranking at k = {asked.named_scope.depth}. {size}".lstrip()
    return asked.table(title, columns, rows, caption, paper=paper)
