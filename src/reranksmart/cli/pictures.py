"""Verbs that make what a published model reads of pictures: processed pixels, and its vision tower's states."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import torch
import typer
from PIL import Image

from reranksmart.cli.threads import Threads
from reranksmart.datasets.prepared.layout import picture_path, read_image_ids
from reranksmart.files.code import code_digest
from reranksmart.files.photographs import read_photograph
from reranksmart.files.provenance import write_provenance
from reranksmart.files.vision_store import VisionStore, writing_vision
from reranksmart.files.writing import atomic_directory
from reranksmart.inputs.images import PixelInputs
from reranksmart.inputs.processors import PictureProcessor
from reranksmart.models.checkpoints import load_model
from reranksmart.models.devices import accelerator
from reranksmart.models.interface import StatesEncoder
from reranksmart.models.reduced import in_precision
from reranksmart.ranking.vision_encoding import write_states
from reranksmart.run.progress import progress
from reranksmart.values.precision import Precision

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

PROCESSOR_FILE = "preprocessor_config.json"


@app.command("extract-pixels")
def extract_pixels_verb(
    data: Annotated[Path, typer.Option(help="folder of a prepared split")],
    backbone: Annotated[Path, typer.Option(help="folder of a converted checkpoint, with its image processor")],
    output: Annotated[Path, typer.Option()],
    threads: Threads = 1,
) -> None:
    """Prepares the pictures of a split as a checkpoint reads them, once for all models made of it."""
    torch.set_num_threads(threads)
    processor = PictureProcessor.open(backbone, patch=load_model(backbone).patch)
    image_ids = read_image_ids(data)
    with atomic_directory(output) as target:
        with writing_vision(target, "pixels") as writer:
            for image_id in progress(image_ids, what="process pictures", total=len(image_ids)):
                batch = processor([Image.fromarray(read_photograph(picture_path(data, image_id)))])
                writer.append(image_id, batch.patches[0].numpy(), batch.grids[0].tolist())
        write_provenance(target, verb="extract-pixels", code=code_digest(__name__), settings="{}", threads=threads)


@app.command("store-states")
def store_states_verb(
    model: Annotated[Path, typer.Option(help="folder of the model whose vision tower is run")],
    pixels: Annotated[Path, typer.Option()],
    output: Annotated[Path, typer.Option()],
    threads: Threads = 1,
    precision: Annotated[Precision, typer.Option()] = "float32",
) -> None:
    """Runs a model's vision tower once an image and stores its states."""
    torch.set_num_threads(threads)
    encoder = in_precision(load_model(model), precision)
    if not isinstance(encoder, StatesEncoder):
        raise ValueError(
            f"the model {model} makes no vision states that its text side could read; give the pixels to its readers."
        )
    with atomic_directory(output) as target:
        write_states(encoder, PixelInputs(VisionStore.open(pixels)), target)
        write_provenance(
            target,
            verb="store-states",
            code=code_digest(__name__),
            settings=precision,
            threads=threads,
            accelerator=accelerator(),
        )


def copy_processor(source: Path, target: Path) -> None:
    """Puts the image processor of one folder into another; nothing where the model reads regions."""
    if (source / PROCESSOR_FILE).is_file():
        shutil.copyfile(source / PROCESSOR_FILE, target / PROCESSOR_FILE)
