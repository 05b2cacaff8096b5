"""The verb that audits a training set before anything is trained on it."""

import json
from pathlib import Path
from typing import Annotated

import typer

from reranksmart.cli.verb import verb
from reranksmart.datasets.prepared.leaks import audit_training
from reranksmart.files.storage import write_json


@verb()
def audit_training_verb(
    root: Annotated[Path, typer.Option(help="folder of all prepared splits")],
    settings: Annotated[str, typer.Option(help="the training set's splits, and those of each test set, as JSON")],
    output: Annotated[Path, typer.Option()],
) -> None:
    """Refuses to test a model on images that it trained on, unless that is allowed, and says which and how many.

    Warns of pictures of other datasets that look as one that is learned.
    """
    asked = json.loads(settings)
    rows = audit_training(
        training_set=asked["training_set"],
        trained={role: root / place for role, place in asked["trained"].items()},
        tested={name: [root / place for place in places] for name, places in asked["tested"].items()},
        allowed=asked["allowed"],
        languages=asked.get("languages"),
        doubles=asked["doubles"],
    )
    write_json(output, rows)
