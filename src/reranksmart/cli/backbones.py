"""Verbs that take published checkpoints: brought into this project's form, or as models as they are."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter

from reranksmart.cli.verb import NewFolder, verb
from reranksmart.config.backbones import AnyBackbone, Reading
from reranksmart.training.backbones import adopt_backbone, convert_backbone


@verb()
def convert_backbone_verb(
    settings: Annotated[str, typer.Option(help="a backbone's settings as JSON, with a checkpoint")],
    output: NewFolder,
) -> None:
    """Reads published weights strictly and saves them with their tokeniser: safetensors, json, tokenizer."""
    convert_backbone(TypeAdapter(AnyBackbone).validate_json(settings), output)


@verb()
def adopt_backbone_verb(
    backbone: Annotated[Path, typer.Option(help="folder of a converted checkpoint")],
    backbone_settings: Annotated[str, typer.Option(help="the backbone's settings as JSON")],
    output: NewFolder,
    seed: int = 1,
) -> None:
    """Takes a published model as it is, untrained, to be evaluated."""
    adopt_backbone(backbone, Reading.model_validate_json(backbone_settings), output, seed=seed)
