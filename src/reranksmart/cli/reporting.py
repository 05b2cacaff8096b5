"""Verbs that report: a table, a figure, the page with all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter

from reranksmart.report.catalogue import ReportSettings, make_figure, make_table
from reranksmart.report.plots import save_plot
from reranksmart.report.tables import write_table

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Inputs = Annotated[list[Path], typer.Argument(help="folders of measures, or the file it is about")]
Settings = Annotated[str, typer.Option(help="what the configuration says of it, as JSON")]


@app.command("tabulate")
def tabulate_verb(
    inputs: Inputs, table: Annotated[str, typer.Option()], settings: Settings, output: Annotated[Path, typer.Option()]
) -> None:
    """Writes one table as csv, md, tex and json."""
    write_table(make_table(table, inputs, TypeAdapter(ReportSettings).validate_json(settings)), output)


@app.command("plot")
def plot_verb(
    inputs: Inputs, figure: Annotated[str, typer.Option()], settings: Settings, output: Annotated[Path, typer.Option()]
) -> None:
    """Writes one figure as svg, pdf and png, its caption beside."""
    save_plot(make_figure(figure, inputs, TypeAdapter(ReportSettings).validate_json(settings)), output)
