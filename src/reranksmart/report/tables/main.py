"""Retrieval with and without re-ranking (paper, Table 1)."""

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.reading import measures
from reranksmart.report.scope import MEASURES, NOT_RUN, RECALL_COLUMNS, sizes
from reranksmart.report.table import Column, Table
from reranksmart.values.frames import Frame

MAIN_COLUMNS = (*RECALL_COLUMNS, Column("rsum", "rsum"), Column("mR", "mR"))


def main_table(measures: Frame, asked: Asked) -> Table:
    """A second test set holds one caption an image, on which the exhaustive cross-encoder was run."""
    whole = asked.rows(measures)
    first = asked.rows(measures, test_set="".join(name for name, _ in asked.test_sets[1:]))
    reason = "not run on all captions, which takes every pair: see one caption an image"
    on_first = [system for system in asked.systems if (first["system"] == system).any()]
    group = "all captions" if on_first else ""
    missing = {system: reason if system in on_first else NOT_RUN for system in asked.systems}
    rows = [asked.row(whole, s, MAIN_COLUMNS, missing=missing[s], group=group) for s in asked.systems]
    rows += [asked.row(first, s, MAIN_COLUMNS, group="one caption an image", paper_key="-") for s in on_first]
    caption = f"{MEASURES} Re-ranking at k = {asked.named_scope.depth}. {sizes(whole)}"
    caption += f" On one caption an image: {sizes(first)}" if on_first else ""
    return asked.table(
        "Table 1: retrieval with and without re-ranking", MAIN_COLUMNS, rows, caption, paper=("table1", "MSCOCO 5k")
    )


KIND = Kind(TableOfExperiments, reads=(measures(),), make=main_table, shows={"test_sets": (1, 2)})
