"""Verbs that search: index a gallery, retrieve from it. They need neither model nor torch."""

from itertools import chain
from pathlib import Path
from typing import Annotated

import faiss
import numpy as np
import typer

from reranksmart.cli.options import Factory, Folder, Folders, GalleryName, ReadingSettings
from reranksmart.cli.verb import NewFolder, verb
from reranksmart.config.backbones import Reading
from reranksmart.files.storage import read_embeddings, write_ranking
from reranksmart.inputs.captions import read_gallery_captions
from reranksmart.ranking.gpu_index import to_device
from reranksmart.ranking.search import build_index, read_index, retrieve
from reranksmart.values.gallery import Gallery
from reranksmart.values.records import Direction, Embeddings


def gallery_embeddings(folders: list[Path], side: str) -> Embeddings:
    parts = [read_embeddings(folder / f"{side}.npz") for folder in folders]
    return Embeddings(
        tuple(chain.from_iterable(part.ids for part in parts)), np.concatenate([part.vectors for part in parts])
    )


@verb(computes=True)
def index_verb(
    embeddings: Folders,
    data: Folders,
    gallery: GalleryName,
    backbone_settings: ReadingSettings,
    factory: Factory,
    output: NewFolder,
) -> None:
    """Builds the faiss indexes of a gallery: its images, and its captions in each language."""
    backbone = Reading.model_validate_json(backbone_settings)
    captions = read_gallery_captions(data, Gallery.parse(gallery), backbone.languages)
    vectors = gallery_embeddings(embeddings, "captions")
    images = gallery_embeddings(embeddings, "images")
    faiss.write_index(build_index(images.vectors, factory=factory), str(output / "images.faiss"))
    for language in backbone.languages:
        texts = vectors.take(captions.in_languages([language]).ids)
        faiss.write_index(build_index(texts.vectors, factory=factory), str(output / f"{language}.faiss"))


@verb(computes=True)
def retrieve_verb(
    embeddings: Folders,
    data: Folders,
    index: Folder,
    gallery: GalleryName,
    backbone_settings: ReadingSettings,
    depth: Annotated[int, typer.Option(help="items kept of each query")],
    output: NewFolder,
) -> None:
    """Ranks the gallery for each query of its first split, in both directions and every language."""
    backbone = Reading.model_validate_json(backbone_settings)
    parsed = Gallery.parse(gallery)
    captions = read_gallery_captions(data, parsed, backbone.languages)
    asking = read_gallery_captions(data[:1], parsed, backbone.languages)
    caption_vectors, image_vectors = (
        gallery_embeddings(embeddings, "captions"),
        gallery_embeddings(embeddings, "images"),
    )
    asking_images = read_embeddings(embeddings[0] / "images.npz")
    for language in backbone.languages:
        queries = caption_vectors.take(asking.in_languages([language]).ids)
        images = to_device(read_index(index / "images.faiss"))
        found = retrieve(queries, image_vectors.ids, images, depth=depth)
        write_ranking(output / f"{language}.{Direction.TEXT_TO_IMAGE}.npz", found)
        texts = to_device(read_index(index / f"{language}.faiss"))
        found = retrieve(asking_images, captions.in_languages([language]).ids, texts, depth=depth)
        write_ranking(output / f"{language}.{Direction.IMAGE_TO_TEXT}.npz", found)
