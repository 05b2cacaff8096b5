"""Verbs that report: a table, a figure, the page with all of them."""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from pydantic import TypeAdapter

from reranksmart.cli.verb import verb
from reranksmart.files.made import require_recipes
from reranksmart.files.writing import atomic_path
from reranksmart.report.asked import Asked
from reranksmart.report.conclusion import conclusion
from reranksmart.report.deviations import deviations as compute_deviations
from reranksmart.report.deviations import deviations_table, judged
from reranksmart.report.making import make_figure, make_table
from reranksmart.report.page import write_page
from reranksmart.report.paper import paper_numbers
from reranksmart.report.plots import save_plot
from reranksmart.report.rendering import read_written_table
from reranksmart.report.run import RunSettings, page_of_run
from reranksmart.report.summary import headline, summary_text
from reranksmart.report.writing import write_table

Inputs = Annotated[list[Path], typer.Argument(help="folders of measures, or the file it is about")]
Settings = Annotated[str, typer.Option(help="what the configuration says of it, as JSON")]
Made = Annotated[str, typer.Option(help="the recipes by which what is read must have been made, as JSON")]


@verb()
def tabulate_verb(
    inputs: Inputs, settings: Settings, output: Annotated[Path, typer.Option()], recipes: Made = ""
) -> None:
    """Writes one table as csv, md, tex and json, and says its headline."""
    require_recipes(recipes)
    table = make_table(TypeAdapter(Asked).validate_json(settings), inputs)
    write_table(table, output)
    typer.echo(headline(table))


@verb()
def plot_verb(inputs: Inputs, settings: Settings, output: Annotated[Path, typer.Option()], recipes: Made = "") -> None:
    """Writes one figure as svg, pdf and png, its caption beside."""
    require_recipes(recipes)
    save_plot(make_figure(TypeAdapter(Asked).validate_json(settings), inputs), output)


@verb()
def report_verb(
    settings: Annotated[str, typer.Option(help="tables, figures, models and examples of the page, as JSON")],
    page: Annotated[Path, typer.Option()],
    summary: Annotated[Path, typer.Option()],
    deviations: Annotated[Path, typer.Option()],
    recipes: Made = "",
) -> None:
    """Writes the page with everything, the short summary, and our values against the paper's."""
    require_recipes(recipes)
    run = TypeAdapter(RunSettings).validate_json(settings)
    tables = [read_written_table(Path(path)) for path in run.tables]
    found = compute_deviations(tables, paper_numbers())
    with atomic_path(deviations) as target:
        found.to_csv(target, index=False)
    sentences = [
        said
        for path in run.comparisons
        for said in conclusion(pd.read_csv(path), roles=run.roles, labels=run.labels, words=run.words)
    ]
    main = next(table for table in tables if table.name == run.headline)
    write_page(page, page_of_run(run, tables, main, deviations_table(found) if judged(found) else None, sentences))
    with atomic_path(summary) as target:
        target.write_text(summary_text(main, sentences, where=f"Everything else: {page}"), encoding="utf-8")
