"""Verbs that join what several jobs computed into what one would have written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reranksmart.cli.gallery_captions import read_gallery_captions, read_split_captions
from reranksmart.cli.keeping import keep_rankings, keep_scores, keep_vectors
from reranksmart.cli.verb import new_folder, verb
from reranksmart.config import Reading
from reranksmart.files.storage import read_ranking, read_share
from reranksmart.inputs.images import concatenated, open_store
from reranksmart.values.gallery import Gallery
from reranksmart.values.records import Direction

Shards = Annotated[list[Path], typer.Argument(help="folders of all shards")]
Folder = Annotated[Path, typer.Option()]
Folders = Annotated[list[Path], typer.Option()]
Settings = Annotated[str, typer.Option(help="the backbone's settings as JSON")]


@verb()
def merge_embeddings_verb(
    shards: Shards, captions: Folder, images: Folder, backbone_settings: Settings, output: Folder
) -> None:
    """Joins the vectors of a split's captions and images."""
    texts = read_split_captions(captions, Reading.model_validate_json(backbone_settings).languages)
    ids = {"captions": texts.ids} if len(texts) else {}
    ids["images"] = open_store(images).image_ids
    with new_folder(output) as target:
        for name, own in ids.items():
            keep_vectors(target / f"{name}.npz", own, [read_share(folder / f"{name}.npz") for folder in shards])


@verb()
def merge_pair_scores_verb(shards: Shards, candidates: Folder, backbone_settings: Settings, output: Folder) -> None:
    """Joins the log-odds of each query's candidates."""
    with new_folder(output) as target:
        for language in Reading.model_validate_json(backbone_settings).languages:
            for direction in Direction:
                name = f"{language}.{direction}"
                shares = [read_share(folder / f"{name}.npz") for folder in shards]
                keep_scores(target, name, len(read_ranking(candidates / f"{name}.npz")), shares)


@verb()
def merge_exhaustive_verb(
    shards: Shards,
    data: Folders,
    images: Folders,
    gallery: Annotated[str, typer.Option(help="dataset.split[+distractors][.captions per image]")],
    backbone_settings: Settings,
    output: Folder,
) -> None:
    """Joins the log-odds of all pairs of a gallery and ranks by them."""
    languages = Reading.model_validate_json(backbone_settings).languages
    captions = read_gallery_captions(data, Gallery.parse(gallery), languages)
    image_ids = concatenated([open_store(folder) for folder in images]).image_ids
    with new_folder(output) as target:
        for language in languages:
            shares = [read_share(folder / f"{language}.npz") for folder in shards]
            keep_rankings(target, language, captions.in_languages([language]).ids, image_ids, shares)
