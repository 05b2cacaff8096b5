"""Verbs that search: index a gallery, retrieve from it. They need neither model nor torch."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Annotated

import faiss
import numpy as np
import typer

from reranksmart.cli.gallery_captions import read_gallery_captions
from reranksmart.cli.verb import new_folder, verb
from reranksmart.config import Reading
from reranksmart.files.storage import read_embeddings, write_ranking
from reranksmart.ranking.search import build_index, read_index, retrieve
from reranksmart.values.gallery import Gallery
from reranksmart.values.records import Direction, Embeddings

Folder = Annotated[Path, typer.Option()]
Folders = Annotated[list[Path], typer.Option()]
Settings = Annotated[str, typer.Option(help="the backbone's settings as JSON")]
GalleryName = Annotated[str, typer.Option(help="dataset.split[+distractors][.captions per image]")]


def _gallery_embeddings(folders: list[Path], side: str) -> Embeddings:
    parts = [read_embeddings(folder / f"{side}.npz") for folder in folders]
    return Embeddings(
        tuple(chain.from_iterable(part.ids for part in parts)), np.concatenate([part.vectors for part in parts])
    )


@verb(computes=True)
def index_verb(
    embeddings: Folders,
    data: Folders,
    gallery: GalleryName,
    backbone_settings: Settings,
    factory: Annotated[str, typer.Option(help="faiss factory string")],
    output: Folder,
) -> None:
    """Builds the faiss indexes of a gallery: its images, and its captions in each language."""
    backbone = Reading.model_validate_json(backbone_settings)
    captions = read_gallery_captions(data, Gallery.parse(gallery), backbone.languages)
    vectors = _gallery_embeddings(embeddings, "captions")
    images = _gallery_embeddings(embeddings, "images")
    with new_folder(output) as target:
        faiss.write_index(build_index(images.vectors, factory=factory), str(target / "images.faiss"))
        for language in backbone.languages:
            texts = vectors.take(captions.in_languages([language]).ids)
            faiss.write_index(build_index(texts.vectors, factory=factory), str(target / f"{language}.faiss"))


@verb(computes=True)
def retrieve_verb(
    embeddings: Folders,
    data: Folders,
    index: Folder,
    gallery: GalleryName,
    backbone_settings: Settings,
    depth: Annotated[int, typer.Option(help="items kept of each query")],
    output: Folder,
) -> None:
    """Ranks the gallery for each query of its first split, in both directions and every language."""
    backbone = Reading.model_validate_json(backbone_settings)
    parsed = Gallery.parse(gallery)
    captions = read_gallery_captions(data, parsed, backbone.languages)
    asking = read_gallery_captions(data[:1], parsed, backbone.languages)
    caption_vectors, image_vectors = (
        _gallery_embeddings(embeddings, "captions"),
        _gallery_embeddings(embeddings, "images"),
    )
    asking_images = read_embeddings(embeddings[0] / "images.npz")
    with new_folder(output) as target:
        for language in backbone.languages:
            queries = caption_vectors.take(asking.in_languages([language]).ids)
            images = read_index(index / "images.faiss")
            found = retrieve(queries, image_vectors.ids, images, depth=depth)
            write_ranking(target / f"{language}.{Direction.TEXT_TO_IMAGE}.npz", found)
            texts = read_index(index / f"{language}.faiss")
            found = retrieve(asking_images, captions.in_languages([language]).ids, texts, depth=depth)
            write_ranking(target / f"{language}.{Direction.IMAGE_TO_TEXT}.npz", found)
