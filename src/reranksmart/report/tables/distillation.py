"""A cross-encoder that teaches the bi-encoder of its joint model (beyond the paper)."""

from reranksmart.report.asked import Asked
from reranksmart.report.beside import table_of_systems
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.reading import measures
from reranksmart.report.table import Table
from reranksmart.values.frames import Frame


def distillation_table(measures: Frame, asked: Asked) -> Table:
    title = "Distillation: the joint model's cross-encoder teaches its bi-encoder"
    return table_of_systems(measures, asked, title, " Not in the paper.")


KIND = Kind(TableOfExperiments, reads=(measures(),), make=distillation_table)
