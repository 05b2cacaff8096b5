"""Mean recall by the share of the training images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.labels import system_label
from reranksmart.report.reading import measures
from reranksmart.report.scope import by_system, cell_of, sizes
from reranksmart.report.table import Column, Row, Table

if TYPE_CHECKING:
    import pandas as pd


def sample_efficiency_table(measures: pd.DataFrame, asked: Asked) -> Table:
    """Mean recall by share of the training set; ``asked.training_sets`` gives each training set's share, 1.0 for the whole."""
    scope = asked.named_scope
    chosen = scope.rows(measures, free=["system", "training_set"])
    ordered = sorted(asked.training_sets, key=lambda training_set: asked.training_sets[training_set])
    columns = tuple(
        Column(f"{asked.training_sets[name]:g} mR", f"{100 * asked.training_sets[name]:g} %") for name in ordered
    )
    rows = [
        Row(
            system,
            system_label(system, asked.labels),
            tuple(cell_of(of_system[of_system["training_set"] == name], "mR") for name in ordered),
            paper_key=system,
        )
        for system, of_system in by_system(chosen, asked.systems)
    ]
    return Table(
        name=asked.name,
        title="Sample efficiency: training on a share of the images",
        caption=f"mR in percent, by share of the training images. Re-ranking at k = {scope.depth}. "
        f"{sizes(chosen[chosen['training_set'].isin(ordered)])}",
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=asked.dataset,
        paper_table="sample_efficiency",
        paper_dataset="MSCOCO 5k",
    )


KIND = Kind(
    TableOfExperiments,
    reads=(measures(),),
    make=sample_efficiency_table,
    shows={"training_sets": (1, None)},
)
