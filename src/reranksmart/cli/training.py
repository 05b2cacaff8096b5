"""Verbs that make models: pretrain a small backbone, train an objective."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from reranksmart.cli.verb import new_folder, running_code, verb
from reranksmart.config.backbones import Backbone, Reading
from reranksmart.config.pretrained import Tuning
from reranksmart.config.training import Objective
from reranksmart.files.storage import write_jsonl
from reranksmart.training.backbones import write_model
from reranksmart.training.loop import TerminatedError
from reranksmart.training.making import Split, fine_tune, pretrain
from reranksmart.training.processes import Processes


@verb(computes=True)
def pretrain_verb(
    captions: Annotated[Path, typer.Option()],
    regions: Annotated[Path, typer.Option()],
    relevance: Annotated[Path, typer.Option()],
    settings: Annotated[str, typer.Option(help="a backbone's settings as JSON")],
    output: Annotated[Path, typer.Option()],
    words: Annotated[list[Path] | None, typer.Option(help="splits whose words the tokeniser must know, too")] = None,
    seed: int = 1,
) -> None:
    """Makes a small backbone and saves it in the layout of the published checkpoints.

    What it learns after the alignment continues from its state where an earlier try was cut off.
    """
    with _ending_as_asked(), new_folder(output) as target:
        pretrain(
            Backbone.model_validate_json(settings),
            Split(captions, regions, relevance),
            target,
            words=[folder / "captions.jsonl" for folder in words or ()],
            seed=seed,
            states=output.parent / f"{output.name}.state",
            made_by=running_code(),
            what=f"pretrain {output.name}",
        )


@verb(computes=True)
def train_verb(
    backbone: Annotated[Path, typer.Option(help="folder of the pretrained backbone")],
    captions: Annotated[Path, typer.Option()],
    images: Annotated[Path, typer.Option(help="their regions or pixels")],
    relevance: Annotated[Path, typer.Option()],
    dev_captions: Annotated[Path, typer.Option()],
    dev_images: Annotated[Path, typer.Option()],
    dev_relevance: Annotated[Path, typer.Option()],
    settings: Annotated[str, typer.Option(help="an objective's settings as JSON")],
    backbone_settings: Annotated[str, typer.Option(help="the backbone's settings as JSON")],
    output: Annotated[Path, typer.Option()],
    tuning: Annotated[str, typer.Option(help="how a published model is fine-tuned, as JSON")] = "{}",
    miner: Annotated[Path | None, typer.Option(help="model that mines hard negatives, if it is another")] = None,
    fraction: float = 1.0,
    seed: int = 1,
) -> None:
    """Fine-tunes a backbone for an objective; continues from its state where an earlier try was cut off."""
    reading, processes = Reading.model_validate_json(backbone_settings), Processes.launched()
    with _ending_as_asked():
        model, history, state = fine_tune(
            Objective.model_validate_json(settings),
            reading,
            Tuning.model_validate_json(tuning),
            backbone,
            Split(captions, images, relevance),
            Split(dev_captions, dev_images, dev_relevance),
            fraction=fraction,
            miner=miner,
            seed=seed,
            processes=processes,
            states=output.parent / "state",
            made_by=running_code(reading.module),
            what=f"train {'/'.join(output.parts[-5:-1])}",
        )
    if processes.is_first:
        with new_folder(output, reading.module) as target:
            write_model(model, target, backbone=backbone)
            write_jsonl(target / "history.jsonl", history)
        state.remove()


@contextmanager
def _ending_as_asked() -> Iterator[None]:
    """Ends the process where a training was asked to end, its state saved."""
    try:
        yield
    except TerminatedError as ended:
        typer.echo(str(ended), err=True)
        raise SystemExit(143) from None
