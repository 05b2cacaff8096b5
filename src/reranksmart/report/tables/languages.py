"""Mean recall in each language (paper, Table 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.labels import LANGUAGES, system_label
from reranksmart.report.reading import measures
from reranksmart.report.scope import by_system, cell_of, sizes
from reranksmart.report.table import Column, Row, Table

if TYPE_CHECKING:
    import pandas as pd


def languages_table(measures: pd.DataFrame, asked: Asked) -> Table:
    """Table 2: mean recall in each language."""
    scope = asked.named_scope
    languages = asked.languages
    chosen = scope.rows(measures, free=["system", "language"])
    columns = tuple(Column(f"{language} mR", LANGUAGES.get(language, language)) for language in languages)
    rows = [
        Row(
            system,
            system_label(system, asked.labels),
            tuple(cell_of(of_system[of_system["language"] == language], "mR") for language in languages),
            paper_key=system,
        )
        for system, of_system in by_system(chosen, asked.systems)
    ]
    return Table(
        name=asked.name,
        title="Table 2: mean recall by language",
        caption=f"mR in percent: the mean of R@1, 5 and 10 of both directions. Re-ranking at k = {scope.depth}. "
        f"{sizes(chosen[chosen['language'].isin(languages)])} In Multi30k, English and German have five captions an "
        "image, French and Czech one: its columns are different tasks.",
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=asked.dataset,
        paper_table="table2",
        paper_dataset="Multi30k",
    )


KIND = Kind(
    TableOfExperiments,
    reads=(measures(),),
    make=languages_table,
    papers_backbone="m3p",
)
