"""The verb that measures which false negatives a cross-encoder recognises, with labels hidden on purpose."""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from reranksmart.cli.options import Folder, ReadingSettings
from reranksmart.cli.verb import NewFolder, verb
from reranksmart.config.backbones import Reading
from reranksmart.families import load_model
from reranksmart.files.storage import read_captions
from reranksmart.training.hard_negatives import mine
from reranksmart.training.judging import count_hidden, hidden_labels, judge, without_false
from reranksmart.training.making import Split

BOUNDS = (0.25, 0.5, 0.8, 0.9, 0.95, 0.99, 1.0)
HIDDEN = 0.5


@verb(computes=True)
def judge_negatives_verb(
    model: Annotated[Path, typer.Option(help="folder of a joint model: it mines, and judges what it mined")],
    data: Annotated[Path, typer.Option(help="folder of the split")],
    images: Annotated[Path, typer.Option(help="what the model reads of its images")],
    relevance: Folder,
    backbone_settings: ReadingSettings,
    depth: Annotated[int, typer.Option(help="captions mined for each image", min=1)],
    seed: Annotated[int, typer.Option(help="of the labels that are hidden")],
    output: NewFolder,
) -> None:
    """Hides half of the labels of a split, mines hard negatives, and counts for each bound what judging leaves out."""
    shape = Reading.model_validate_json(backbone_settings)
    captions = read_captions(data / "captions.jsonl").in_languages(shape.languages)
    whole = Split(data / "captions.jsonl", images, relevance).read(captions, shape, model)
    known, _ = hidden_labels(whole, HIDDEN, np.random.default_rng(seed))
    network = load_model(model)
    mined = mine(network, known, depth=depth)
    ratios = judge(network, known, mined)
    rows = [
        {"below": bound, **count_hidden(whole, mined, without_false(mined, ratios, below=bound))} for bound in BOUNDS
    ]
    pd.DataFrame(rows).assign(images=len(whole.regions), seed=seed).to_csv(output / "judged.csv", index=False)
