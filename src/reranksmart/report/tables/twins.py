"""Twins: the same objects rearranged (beyond the paper)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.labels import plural
from reranksmart.report.reading import measures
from reranksmart.report.scope import row_of, spread
from reranksmart.report.table import Column, Table

if TYPE_CHECKING:
    import pandas as pd


def twins_table(measures: pd.DataFrame, asked: Asked) -> Table:
    """Twin accuracy: the same objects rearranged, a caption of one false of the other. Guessing gets 50."""
    scope = asked.named_scope
    chosen = scope.rows(measures, free=["system"])
    columns = (
        Column("text-to-image twin accuracy", "IR"),
        Column("image-to-text twin accuracy", "TR"),
        Column("twin accuracy", "mean"),
    )
    rows = [row_of(chosen, system, columns, asked.labels) for system in asked.systems]
    size = ""
    if len(chosen):
        first = chosen.iloc[0]
        size = (
            f"n = {plural(int(first['queries']), 'choice')} each way among {first['images'] // 2:,} pairs of twins, "
            f"{spread(int(chosen['seeds'].max()), over='pairs of twins')}. "
        )
    return Table(
        name=asked.name,
        title="Twins: are places bound to objects?",
        caption="Percent of choices between a picture and its twin that are right; guessing gets 50, a tie counts "
        f"half. IR: a caption chooses the picture; TR: a picture chooses the caption. {size}The paper has no such probe.",
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=asked.dataset,
    )


def require_twins(config: Any, path: str, entry: TableOfExperiments) -> None:
    """ValueError where a test set is not of twins, or a system has both roles."""
    for name in entry.experiments:
        experiment = config.experiments[name]
        if others := [test_set for test_set in experiment.test_sets if not config.test_sets[test_set].twins]:
            raise ValueError(
                f"experiments.{name}.test_sets: {others} are not said to be twins, two and two consecutive images, which "
                f"{path} shows. Write twins: true into a test set of such images, or take another."
            )
        if both := [system for system in experiment.systems if len(config.systems[system].roles("")) == 2]:
            raise ValueError(
                f"experiments.{name}.systems: {both} retrieve and re-rank, but twins, which {path} shows, are told apart by "
                "one role alone. Choose systems with a retriever or a reranker only."
            )


KIND = Kind(
    TableOfExperiments,
    reads=(measures("twins"),),
    make=twins_table,
    check=require_twins,
)
