"""The verb that says how far a run is."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from reranksmart.cli.verb import verb
from reranksmart.run.findings import find
from reranksmart.run.queue import queue_as_text
from reranksmart.run.text import findings_as_text


@verb(by_hand=True)
def status_verb(
    results: Annotated[Path, typer.Option(help="the results folder of a run")] = Path("results"),
    as_json: Annotated[bool, typer.Option("--json", help="everything that is known, for programs")] = False,
) -> None:
    """Prints which models, indexes and tables exist, which are being made, and which are missing and why."""
    findings = find(results)
    if as_json:
        typer.echo(json.dumps([asdict(found) for found in findings], indent=1, ensure_ascii=False))
    else:
        typer.echo("\n\n".join(filter(None, (findings_as_text(findings), queue_as_text(results.absolute().parent)))))
