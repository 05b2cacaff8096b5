"""Several test sets beside each other: zero-shot transfer, and galleries that grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from reranksmart.report.labels import SYSTEM_LABELS, system_label
from reranksmart.report.scope import MEASURES, SHORT_COLUMNS, Scope, by_system, cell_of, sizes
from reranksmart.report.tables import Column, Row, Table


def transfer_table(
    measures: pd.DataFrame,
    scope: Scope,
    *,
    unseen_test_set: str,
    systems: Sequence[str] = ("be", "sep_coop", "joint_be", "joint_coop"),
    labels: Mapping[str, str] = SYSTEM_LABELS,
    dataset: str = "",
    paper_dataset: str = "Flickr30k 1k (Entities)",
) -> Table:
    """Zero-shot transfer: what training saw, and ``unseen_test_set``, beside each other."""
    return _by_test_set(
        measures,
        scope,
        {scope.test_set: "seen", unseen_test_set: "unseen"},
        systems,
        labels,
        name="transfer",
        title="Transfer to what training never saw",
        sentence="Seen: test images of what training showed; unseen: test images of things that training never saw.",
        dataset=dataset,
        paper_dataset=paper_dataset,
    )


def transfer_matrix_table(
    measures: pd.DataFrame,
    scope: Scope,
    *,
    test_sets: Mapping[str, str],
    systems: Sequence[str],
    labels: Mapping[str, str] = SYSTEM_LABELS,
    dataset: str = "",
    paper_dataset: str = "MSCOCO 5k and Flickr30k 1k (Entities)",
) -> Table:
    """A row for each training set and system, recalls on each test set; ``test_sets`` gives their names in tables.

    Which pairs were refused by the audit shows as cells that were not run.
    """
    chosen = scope.rows(measures, free=["system", "test_set", "training_set"])
    columns = tuple(
        Column(f"{test_set} {column.key}", f"{label}, {column.label}")
        for test_set, label in test_sets.items()
        for column in SHORT_COLUMNS
    )
    rows = []
    for training_set in sorted(chosen["training_set"].unique()):
        for system in systems:
            of_system = chosen[(chosen["training_set"] == training_set) & (chosen["system"] == system)]
            cells = tuple(
                cell_of(of_system[of_system["test_set"] == test_set], column.key)
                for test_set in test_sets
                for column in SHORT_COLUMNS
            )
            key = f"{training_set} {system}"
            label = system_label(system, labels)
            rows.append(Row(key, label, cells, paper_key=key, group=f"trained on {training_set}"))
    return Table(
        name="transfer",
        title="Zero-shot transfer",
        caption=f"{MEASURES} Re-ranking at k = {scope.depth}. {sizes(chosen)}",
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=dataset,
        paper_table="transfer",
        paper_dataset=paper_dataset,
    )


def enlarged_table(
    measures: pd.DataFrame,
    scope: Scope,
    *,
    enlarged_test_set: str,
    systems: Sequence[str] = ("be", "sep_coop", "joint_be", "joint_coop"),
    labels: Mapping[str, str] = SYSTEM_LABELS,
    dataset: str = "",
    paper_dataset: str = "Flickr30k 1k (Entities)",
) -> Table:
    """The same queries in the plain gallery and in ``enlarged_test_set``, with distractors."""
    return _by_test_set(
        measures,
        scope,
        {scope.test_set: "plain", enlarged_test_set: "enlarged"},
        systems,
        labels,
        name="enlarged_gallery",
        title="Enlarged gallery",
        sentence="Plain: the test gallery; enlarged: the same queries, with distractor images and captions added.",
        dataset=dataset,
        paper_dataset=paper_dataset,
    )


def enlarged_galleries_table(
    measures: pd.DataFrame,
    scope: Scope,
    *,
    test_sets: Mapping[str, str],
    systems: Sequence[str],
    labels: Mapping[str, str] = SYSTEM_LABELS,
    dataset: str = "",
    paper_dataset: str = "Flickr30k 1k (Entities)",
) -> Table:
    """The same queries in a plain gallery and in larger and larger ones; ``test_sets`` gives their names in tables."""
    *_, largest = test_sets
    return _by_test_set(
        measures,
        scope,
        test_sets,
        systems,
        labels,
        name="enlarged_gallery",
        title="Enlarged gallery",
        sentence="The same queries throughout; to the right, images and captions of other datasets are added to the "
        "gallery as distractors.",
        dataset=dataset,
        paper_dataset=paper_dataset,
        keys={largest: "enlarged"},
    )


def _by_test_set(
    measures: pd.DataFrame,
    scope: Scope,
    test_sets: Mapping[str, str],
    systems: Sequence[str],
    labels: Mapping[str, str],
    *,
    name: str,
    title: str,
    sentence: str,
    dataset: str,
    paper_dataset: str,
    keys: Mapping[str, str] | None = None,
) -> Table:
    """Recalls on each of ``test_sets``, which gives their words; keys of columns start with those, or those in ``keys``."""
    chosen = scope.rows(measures, free=["system", "test_set"])
    chosen = chosen[chosen["test_set"].isin(list(test_sets))]
    columns = [
        Column(column.key if test_set == scope.test_set else f"{words} {column.key}", f"{label}, {column.label}")
        for test_set, label in test_sets.items()
        for words in ((keys or {}).get(test_set, label),)
        for column in SHORT_COLUMNS
    ]
    of_each = {label: sizes(chosen[chosen["test_set"] == test_set]) for test_set, label in test_sets.items()}
    size = (
        sizes(chosen)
        if len(set(of_each.values())) == 1
        else " ".join(f"{label.capitalize()}: {said}" for label, said in of_each.items() if said)
    )
    rows = []
    for system, of_system in by_system(chosen, systems):
        cells = [
            cell_of(of_system[of_system["test_set"] == test_set], column.key)
            for test_set in test_sets
            for column in SHORT_COLUMNS
        ]
        rows.append(Row(system, system_label(system, labels), tuple(cells), paper_key=system))
    return Table(
        name=name,
        title=title,
        caption=f"{sentence} {MEASURES} Re-ranking at k = {scope.depth}. {size}",
        header="system",
        columns=tuple(columns),
        rows=tuple(rows),
        dataset=dataset,
        paper_table=name,
        paper_dataset=paper_dataset,
    )
