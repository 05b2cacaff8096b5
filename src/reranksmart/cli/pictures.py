"""Verbs that make what a published model reads of pictures: processed pixels, and its vision tower's states."""

from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from reranksmart.cli.verb import NewFolder, verb
from reranksmart.datasets.prepared.layout import picture_path, read_image_ids
from reranksmart.families import load_model
from reranksmart.files.photographs import read_photograph
from reranksmart.files.vision_store import VisionStore, writing_vision
from reranksmart.inputs.images import PixelInputs
from reranksmart.inputs.processors import PictureProcessor
from reranksmart.models.interface import StatesEncoder
from reranksmart.models.reduced import in_precision
from reranksmart.ranking.vision_encoding import write_states
from reranksmart.run.progress import progress
from reranksmart.values.precision import Precision


@verb(computes=True)
def extract_pixels_verb(
    data: Annotated[Path, typer.Option(help="folder of a prepared split")],
    backbone: Annotated[Path, typer.Option(help="folder of a converted checkpoint, with its image processor")],
    output: NewFolder,
) -> None:
    """Prepares the pictures of a split as a checkpoint reads them, once for all models made of it."""
    processor = PictureProcessor.open(backbone, patch=load_model(backbone).patch)
    image_ids = read_image_ids(data)
    with writing_vision(output, "pixels") as writer:
        for image_id in progress(image_ids, what="process pictures", total=len(image_ids)):
            batch = processor([Image.fromarray(read_photograph(picture_path(data, image_id)))])
            writer.append(image_id, batch.patches[0].numpy(), batch.grids[0].tolist())


@verb(computes=True)
def store_states_verb(
    model: Annotated[Path, typer.Option(help="folder of the model whose vision tower is run")],
    pixels: Annotated[Path, typer.Option()],
    output: NewFolder,
    precision: Annotated[Precision, typer.Option()] = "float32",
) -> None:
    """Runs a model's vision tower once an image and stores its states."""
    encoder = in_precision(load_model(model), precision)
    if not isinstance(encoder, StatesEncoder):
        raise ValueError(
            f"the model {model} makes no vision states that its text side could read; give the pixels to its readers."
        )
    write_states(encoder, PixelInputs(VisionStore.open(pixels)), output)
