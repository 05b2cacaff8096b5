"""Mean recall in each language (paper, Table 2)."""

from reranksmart.report.asked import Asked
from reranksmart.report.beside import table_of_mean_recalls
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.labels import LANGUAGES
from reranksmart.report.reading import measures
from reranksmart.report.table import Column, Table
from reranksmart.values.frames import Frame


def languages_table(measures: Frame, asked: Asked) -> Table:
    return table_of_mean_recalls(
        measures,
        asked,
        "Table 2: mean recall by language",
        "language",
        {name: Column(f"{name} mR", LANGUAGES.get(name, name)) for name in asked.languages},
        said="mR in percent: the mean of R@1, 5 and 10 of both directions.",
        remark=" In Multi30k, English and German have five captions an image, French and Czech one: its columns are "
        "different tasks.",
        paper=("table2", "Multi30k"),
    )


KIND = Kind(TableOfExperiments, reads=(measures(),), make=languages_table, papers_backbone="m3p")
