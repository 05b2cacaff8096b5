"""Joint training with random and with mined negatives (paper, section 5.5)."""

from reranksmart.report.asked import Asked
from reranksmart.report.beside import table_of_systems
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.reading import measures
from reranksmart.report.table import Table
from reranksmart.values.frames import Frame


def hard_negatives_table(measures: Frame, asked: Asked) -> Table:
    return table_of_systems(measures, asked, "Hard negatives in joint training", paper=("hard_negatives", "MSCOCO 5k"))


KIND = Kind(TableOfExperiments, reads=(measures(),), make=hard_negatives_table)
