"""The tables of ablations: one function a table, from the long measures table after ``aggregate_seeds``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from reranksmart.report.labels import SYSTEM_LABELS, fusion_label, system_label
from reranksmart.report.scope import MEASURES, NOT_RUN, SHORT_COLUMNS, Scope, by_system, cell_of, row_of, sizes
from reranksmart.report.tables import Cell, Column, Row, Table


def sample_efficiency_table(
    measures: pd.DataFrame,
    scope: Scope,
    *,
    fractions: Mapping[str, float],
    systems: Sequence[str] = ("be", "sep_coop", "joint_be", "joint_coop"),
    labels: Mapping[str, str] = SYSTEM_LABELS,
    dataset: str = "",
    paper_dataset: str = "MSCOCO 5k",
) -> Table:
    """Mean recall by share of the training set; ``fractions`` gives each training set's share, 1.0 for the whole."""
    chosen = scope.rows(measures, free=["system", "training_set"])
    ordered = sorted(fractions, key=lambda training_set: fractions[training_set])
    columns = tuple(Column(f"{fractions[name]:g} mR", f"{100 * fractions[name]:g} %") for name in ordered)
    rows = [
        Row(
            system,
            system_label(system, labels),
            tuple(cell_of(of_system[of_system["training_set"] == name], "mR") for name in ordered),
            paper_key=system,
        )
        for system, of_system in by_system(chosen, systems)
    ]
    return Table(
        name="sample_efficiency",
        title="Sample efficiency: training on a share of the images",
        caption=f"mR in percent, by share of the training images. Re-ranking at k = {scope.depth}. "
        f"{sizes(chosen[chosen['training_set'].isin(ordered)])}",
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=dataset,
        paper_table="sample_efficiency",
        paper_dataset=paper_dataset,
    )


def depth_table(
    measures: pd.DataFrame,
    scope: Scope,
    *,
    systems: Sequence[str] = ("sep_coop", "joint_coop"),
    labels: Mapping[str, str] = SYSTEM_LABELS,
    dataset: str = "",
    paper_dataset: str = "MSCOCO 5k",
) -> Table:
    """Table 8: the depth k, and how many pairs it costs."""
    chosen = scope.rows(measures, free=["system", "depth"])
    columns = (*SHORT_COLUMNS, Column("pairs", "pairs scored", unit="count", in_paper=False))
    rows = []
    for system, of_system in by_system(chosen, systems):
        for depth in sorted(of_system["depth"].unique()):
            of_depth = of_system[of_system["depth"] == depth]
            pairs = of_depth.loc[of_depth["direction"] == "both", "pairs_scored"]
            cells = [cell_of(of_depth, column.key) for column in SHORT_COLUMNS]
            cells.append(Cell(value=float(pairs.iloc[0])) if len(pairs) else Cell(missing=NOT_RUN))
            key = f"{system} k={depth:g}"
            rows.append(Row(key, system_label(system, labels, depth=int(depth)), tuple(cells), paper_key=key))
    return Table(
        name="depth",
        title="Table 8: how many candidates to re-rank",
        caption=f"{MEASURES} Pairs scored: both directions together. {sizes(chosen)}",
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=dataset,
        paper_table="table8",
        paper_dataset=paper_dataset,
    )


def fusion_table(
    measures: pd.DataFrame,
    scope: Scope,
    *,
    systems: Sequence[str],
    labels: Mapping[str, str] = SYSTEM_LABELS,
    dataset: str = "",
    paper_dataset: str = "Flickr30k 1k (Entities)",
) -> Table:
    """Table 9: ways to join the two scores of each of ``systems``, which re-rank; the paper's is the joint model."""
    chosen = scope.rows(measures, free=["system", "fusion"])
    chosen = chosen[chosen["system"].isin(systems)]
    rows = [
        Row(
            f"{system} {fusion}",
            fusion_label(fusion),
            tuple(cell_of(of_system[of_system["fusion"] == fusion], column.key) for column in SHORT_COLUMNS),
            paper_key=fusion if system == "joint_coop" else "-",
            group=system_label(system, labels),
        )
        for system, of_system in by_system(chosen, systems)
        for fusion in dict.fromkeys(of_system["fusion"])
    ]
    return Table(
        name="fusion",
        title="Table 9: joining the scores of retriever and reranker",
        caption=f"Re-ranking at k = {scope.depth}; w is the retriever's share. {MEASURES} "
        f"{sizes(chosen)} The published w is taken to join match probability and cosine.",
        header="fusion",
        columns=SHORT_COLUMNS,
        rows=tuple(rows),
        dataset=dataset,
        paper_table="table9",
        paper_dataset=paper_dataset,
    )


def hard_negatives_table(
    measures: pd.DataFrame,
    scope: Scope,
    *,
    systems: Sequence[str] = ("joint_be", "joint_hard_be", "joint_coop", "joint_hard_coop"),
    labels: Mapping[str, str] = SYSTEM_LABELS,
    dataset: str = "",
    paper_dataset: str = "MSCOCO 5k",
) -> Table:
    """Joint training with random negatives, and with negatives mined by the model's own search."""
    chosen = scope.rows(measures, free=["system"])
    rows = [row_of(chosen, system, SHORT_COLUMNS, labels) for system in systems]
    return Table(
        name="hard_negatives",
        title="Hard negatives in joint training",
        caption=f"{MEASURES} Re-ranking at k = {scope.depth}. {sizes(chosen[chosen['system'].isin(systems)])}",
        header="system",
        columns=SHORT_COLUMNS,
        rows=tuple(rows),
        dataset=dataset,
        paper_table="hard_negatives",
        paper_dataset=paper_dataset,
    )
