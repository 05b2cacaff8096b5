"""A table or figure made: its kind's, with what the configuration says beside."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, figure_kinds, table_kinds
from reranksmart.report.paper import paper_numbers, with_paper, with_published
from reranksmart.report.plots import Plot
from reranksmart.report.table import Table


def make_table(asked: Asked, inputs: Sequence[Path]) -> Table:
    """The table, the paper's values and those of others beside ours. ``inputs``: the folders or files that it reads."""
    kind = table_kinds()[asked.kind]
    tables = {
        backbone: _made(
            kind, replace(asked, scope=replace(asked.named_scope, backbone=backbone, language=language)), inputs
        )
        for backbone, language in asked.backbones
    }
    table = stacked(tables) if tables else _made(kind, asked, inputs)
    title = asked.title or ", ".join(filter(None, (table.title, asked.about)))
    numbers = paper_numbers()
    own = with_paper(_beside(replace(table, title=title), asked.paper, set(numbers["dataset"])), numbers)
    return with_published(own, numbers, asked.published, dataset=asked.dataset)


def make_figure(asked: Asked, inputs: Sequence[Path]) -> Plot:
    plot: Plot = _made(figure_kinds()[asked.kind], asked, inputs)
    return plot


def _made(kind: Kind, asked: Asked, inputs: Sequence[Path]) -> Any:
    return kind.make(*(reads.of(inputs, asked) for reads in kind.reads), asked)


def _beside(table: Table, paper: str | None, known: set[str]) -> Table:
    """The table with the dataset whose values of the paper it is to have, of those that are known."""
    if paper == "auto" or not table.paper_table:
        return table
    return replace(table, paper_dataset=paper or "", paper_table=table.paper_table if paper in known else "")


def stacked(tables: Mapping[str, Table]) -> Table:
    """The rows of tables that differ in their backbone alone; the paper's values stand beside the first one's."""
    first = next(iter(tables.values()))
    rows = [
        replace(
            row,
            group=f"{backbone}, {row.group}" if row.group else backbone,
            paper_key=row.paper_key if table is first else "-",
        )
        for backbone, table in tables.items()
        for row in table.rows
    ]
    return replace(first, rows=tuple(rows))
