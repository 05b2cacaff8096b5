"""Beyond the paper: each query's own depth and both scores joined, chosen on dev, at equal weights."""

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.labels import WAYS, fusion_label
from reranksmart.report.reading import measures
from reranksmart.report.scope import MEASURES, SHORT_COLUMNS, by_system, cell_of, sizes
from reranksmart.report.table import Cell, Column, Row, Table
from reranksmart.values.frames import Frame


def calibrated_table(measures: Frame, asked: Asked) -> Table:
    """Each system of ``asked.systems`` with each of its fusions, and the pairs that a query costs in the mean."""
    scope = asked.named_scope
    chosen = scope.rows(measures, free=["system", "fusion"])
    pairs = [Column(f"{way} pairs", f"pairs a query, {short}", unit="", in_paper=False) for way, short in WAYS.items()]
    rows = []
    for system, of_system in by_system(chosen, asked.systems):
        for fusion in sorted(set(of_system["fusion"]), key=lambda name: (name != "none", name)):
            found = of_system[of_system["fusion"] == fusion]
            cells = [cell_of(found, column.key) for column in SHORT_COLUMNS]
            for column in pairs:
                way = found[found["direction"] == column.key.removesuffix(" pairs")].iloc[0]
                cells.append(Cell(value=float(way["pairs_scored"] / way["queries"])))
            label = fusion_label(fusion) if system in asked.reranking else "no re-ranking"
            rows.append(Row(f"{system} {fusion}", label, tuple(cells), group=asked.label(system)))
    return asked.table(
        "Beyond the paper: a depth for each query, and both scores joined",
        (*SHORT_COLUMNS, *pairs),
        rows,
        f"At most k = {scope.depth} candidates. Calibrated: candidates whose cosine lies within a gap of the first "
        "one's are ordered by log-odds + weight x cosine; gap and weight are chosen on dev for each direction and seed. "
        f"{MEASURES} {sizes(chosen)}",
    )


KIND = Kind(TableOfExperiments, reads=(measures(),), make=calibrated_table)
