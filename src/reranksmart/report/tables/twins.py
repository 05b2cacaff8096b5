"""Twins: the same objects rearranged (beyond the paper)."""

from typing import Any

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.labels import plural
from reranksmart.report.reading import measures
from reranksmart.report.scope import spread
from reranksmart.report.table import Column, Table
from reranksmart.values.frames import Frame


def twins_table(measures: Frame, asked: Asked) -> Table:
    """A caption of one twin is false of the other. Guessing gets 50."""
    chosen = asked.rows(measures)
    columns = (
        Column("text-to-image twin accuracy", "IR"),
        Column("image-to-text twin accuracy", "TR"),
        Column("twin accuracy", "mean"),
    )
    size = ""
    if len(chosen):
        first = chosen.iloc[0]
        size = (
            f"n = {plural(int(first['queries']), 'choice')} each way among {first['images'] // 2:,} pairs of twins, "
            f"{spread(int(chosen['seeds'].max()), over='pairs of twins')}. "
        )
    return asked.table(
        "Twins: are places bound to objects?",
        columns,
        [asked.row(chosen, system, columns) for system in asked.systems],
        "Percent of choices between a picture and its twin that are right; guessing gets 50, a tie counts "
        f"half. IR: a caption chooses the picture; TR: a picture chooses the caption. {size}The paper has no such probe.",
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


KIND = Kind(TableOfExperiments, reads=(measures("twins"),), make=twins_table, check=require_twins)
