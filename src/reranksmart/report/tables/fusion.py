"""Ways to join the scores of retriever and reranker (paper, Table 9)."""

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.labels import fusion_label
from reranksmart.report.reading import measures
from reranksmart.report.scope import MEASURES, SHORT_COLUMNS, by_system, cell_of, sizes
from reranksmart.report.table import Row, Table
from reranksmart.values.frames import Frame


def fusion_table(measures: Frame, asked: Asked) -> Table:
    """Each way to join the two scores of each system that re-ranks; the paper's is the joint model."""
    chosen = asked.rows(measures, "fusion")
    rows = [
        Row(
            f"{system} {fusion}",
            fusion_label(fusion),
            tuple(cell_of(of_system[of_system["fusion"] == fusion], column.key) for column in SHORT_COLUMNS),
            paper_key=fusion if system == "joint_coop" else "-",
            group=asked.label(system),
        )
        for system, of_system in by_system(chosen, asked.systems)
        for fusion in dict.fromkeys(of_system["fusion"])
    ]
    return asked.table(
        "Table 9: joining the scores of retriever and reranker",
        SHORT_COLUMNS,
        rows,
        f"Re-ranking at k = {asked.named_scope.depth}; w is the retriever's share. {MEASURES} "
        f"{sizes(chosen)} The published w is taken to join match probability and cosine.",
        header="fusion",
        paper=("table9", "Flickr30k 1k (Entities)"),
    )


KIND = Kind(TableOfExperiments, reads=(measures(),), make=fusion_table)
