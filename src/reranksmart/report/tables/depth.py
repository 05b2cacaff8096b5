"""Accuracy against the number of candidates that are re-ranked (paper, Table 8)."""

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.reading import measures
from reranksmart.report.scope import MEASURES, NOT_RUN, SHORT_COLUMNS, by_system, sizes
from reranksmart.report.table import Cell, Column, Table
from reranksmart.values.frames import Frame


def depth_table(measures: Frame, asked: Asked) -> Table:
    """The depth k, and how many pairs it costs."""
    chosen = asked.rows(measures, "depth")
    rows = []
    for system, of_system in by_system(chosen, asked.systems):
        for depth in sorted(of_system["depth"].unique()):
            found = of_system[of_system["depth"] == depth]
            pairs = found.loc[found["direction"] == "both", "pairs_scored"]
            scored = Cell(value=float(pairs.iloc[0])) if len(pairs) else Cell(missing=NOT_RUN)
            rows.append(asked.row(found, system, SHORT_COLUMNS, depth=depth).beside(scored))
    return asked.table(
        "Table 8: how many candidates to re-rank",
        (*SHORT_COLUMNS, Column("pairs", "pairs scored", unit="count", in_paper=False)),
        rows,
        f"{MEASURES} Pairs scored: both directions together. {sizes(chosen)}",
        paper=("table8", "MSCOCO 5k"),
    )


KIND = Kind(TableOfExperiments, reads=(measures(),), make=depth_table)
