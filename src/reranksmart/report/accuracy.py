"""The tables of accuracy on one test set: one function a table, from the long measures table after ``aggregate_seeds``.

Recalls, mR (their mean) and rsum (their sum) are in percent. IR asks with a caption for images, TR with an image for
captions, as in the paper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from reranksmart.report.labels import LANGUAGES, SYSTEM_LABELS, plural, system_label
from reranksmart.report.scope import (
    MEASURES,
    NOT_RUN,
    RECALL_COLUMNS,
    Scope,
    by_system,
    cell_of,
    has_system,
    row_of,
    sizes,
    spread,
)
from reranksmart.report.tables import Column, Row, Table

MAIN_COLUMNS = (*RECALL_COLUMNS, Column("rsum", "rsum"), Column("mR", "mR"))


def main_table(
    measures: pd.DataFrame,
    scope: Scope,
    *,
    exhaustive_test_set: str,
    systems: Sequence[str] = ("ce", "be", "sep_coop", "joint_be", "joint_ce", "joint_coop"),
    labels: Mapping[str, str] = SYSTEM_LABELS,
    dataset: str = "",
    paper_dataset: str = "MSCOCO 5k",
) -> Table:
    """Table 1. ``exhaustive_test_set`` holds one caption an image, on which the exhaustive cross-encoder was run."""
    whole = scope.rows(measures, free=["system"])
    first = scope.rows(measures, free=["system"], instead={"test_set": exhaustive_test_set})
    reason = "not run on all captions, which takes every pair: see one caption an image"
    rows = [
        row_of(
            whole,
            system,
            MAIN_COLUMNS,
            labels,
            missing=reason if has_system(first, system) else NOT_RUN,
            group="all captions" if len(first) else "",
        )
        for system in systems
    ]
    rows += [
        row_of(first, system, MAIN_COLUMNS, labels, group="one caption an image", paper_key="-")
        for system in systems
        if has_system(first, system)
    ]
    return Table(
        name="table1_main",
        title="Table 1: retrieval with and without re-ranking",
        caption=f"{MEASURES} Re-ranking at k = {scope.depth}. {sizes(whole)} On one caption an image: {sizes(first)}"
        if len(first)
        else f"{MEASURES} Re-ranking at k = {scope.depth}. {sizes(whole)}",
        header="system",
        columns=MAIN_COLUMNS,
        rows=tuple(rows),
        dataset=dataset,
        paper_table="table1",
        paper_dataset=paper_dataset,
    )


def languages_table(
    measures: pd.DataFrame,
    scope: Scope,
    *,
    languages: Sequence[str] = ("en", "de", "fr", "cs"),
    systems: Sequence[str] = ("be", "sep_coop", "joint_be", "joint_coop"),
    labels: Mapping[str, str] = SYSTEM_LABELS,
    dataset: str = "",
    paper_dataset: str = "Multi30k",
) -> Table:
    """Table 2: mean recall in each language."""
    chosen = scope.rows(measures, free=["system", "language"])
    columns = tuple(Column(f"{language} mR", LANGUAGES.get(language, language)) for language in languages)
    rows = [
        Row(
            system,
            system_label(system, labels),
            tuple(cell_of(of_system[of_system["language"] == language], "mR") for language in languages),
            paper_key=system,
        )
        for system, of_system in by_system(chosen, systems)
    ]
    return Table(
        name="table2_languages",
        title="Table 2: mean recall by language",
        caption=f"mR in percent: the mean of R@1, 5 and 10 of both directions. Re-ranking at k = {scope.depth}. "
        f"{sizes(chosen[chosen['language'].isin(languages)])} In Multi30k, English and German have five captions an "
        "image, French and Czech one: its columns are different tasks.",
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=dataset,
        paper_table="table2",
        paper_dataset=paper_dataset,
    )


def twins_table(
    measures: pd.DataFrame,
    scope: Scope,
    *,
    systems: Sequence[str] = ("be", "ce", "joint_be", "joint_ce"),
    labels: Mapping[str, str] = SYSTEM_LABELS,
    dataset: str = "",
) -> Table:
    """Twin accuracy: the same objects rearranged, a caption of one false of the other. Guessing gets 50."""
    chosen = scope.rows(measures, free=["system"])
    columns = (
        Column("text-to-image twin accuracy", "IR"),
        Column("image-to-text twin accuracy", "TR"),
        Column("twin accuracy", "mean"),
    )
    rows = [row_of(chosen, system, columns, labels) for system in systems]
    size = ""
    if len(chosen):
        first = chosen.iloc[0]
        size = (
            f"n = {plural(int(first['queries']), 'choice')} each way among {first['images'] // 2:,} pairs of twins, "
            f"{spread(int(chosen['seeds'].max()), over='pairs of twins')}. "
        )
    return Table(
        name="twins",
        title="Twins: are places bound to objects?",
        caption="Percent of choices between a picture and its twin that are right; guessing gets 50, a tie counts "
        f"half. IR: a caption chooses the picture; TR: a picture chooses the caption. {size}The paper has no such probe.",
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=dataset,
    )
