"""Verbs that search: index a gallery, retrieve from it. They need neither model nor torch."""

from pathlib import Path
from typing import Annotated

import faiss
import typer

from reranksmart.cli import options
from reranksmart.cli.verb import NewFolder, verb
from reranksmart.config.backbones import Reading
from reranksmart.files.storage import write_ranking
from reranksmart.files.stored_embeddings import StoredEmbeddings
from reranksmart.inputs.captions import read_gallery_captions
from reranksmart.ranking.gpu_index import to_device
from reranksmart.ranking.index_shares import fill_share, merge_shares
from reranksmart.ranking.search import build_index, read_index, retrieve, trained_index
from reranksmart.values.gallery import Gallery
from reranksmart.values.records import Direction, Embeddings
from reranksmart.values.shards import Shard


def gallery_embeddings(folders: list[Path], side: str) -> Embeddings:
    return _stored(folders, side).read()


def _stored(folders: list[Path], side: str) -> StoredEmbeddings:
    return StoredEmbeddings.open([folder / f"{side}.npz" for folder in folders])


def _sides(
    embeddings: list[Path], data: list[Path], gallery: str, backbone_settings: str
) -> dict[str, StoredEmbeddings]:
    """What is searched, each by the name of its index: the images, and the captions in each language."""
    languages = Reading.model_validate_json(backbone_settings).languages
    captions = read_gallery_captions(data, Gallery.parse(gallery), languages)
    texts = _stored(embeddings, "captions")
    found = {name: texts.take(captions.in_languages([name]).ids) for name in languages}
    return {"images": _stored(embeddings, "images"), **found}


@verb(computes=True)
def index_verb(
    embeddings: options.Folders,
    data: options.Folders,
    gallery: options.GalleryName,
    backbone_settings: options.ReadingSettings,
    factory: options.Factory,
    output: NewFolder,
) -> None:
    """Builds the faiss indexes of a gallery: its images, and its captions in each language."""
    for name, vectors in _sides(embeddings, data, gallery, backbone_settings).items():
        faiss.write_index(build_index(vectors[:], factory=factory), str(output / f"{name}.faiss"))


@verb(computes=True)
def train_index_verb(
    embeddings: options.Folders,
    data: options.Folders,
    gallery: options.GalleryName,
    backbone_settings: options.ReadingSettings,
    factory: options.Factory,
    output: NewFolder,
) -> None:
    """Makes the indexes of a gallery without its vectors: their lists are learned from a sample."""
    for name, vectors in _sides(embeddings, data, gallery, backbone_settings).items():
        faiss.write_index(trained_index(vectors, factory=factory), str(output / f"{name}.faiss"))


@verb(computes=True)
def fill_index_verb(
    trained: options.Folder,
    embeddings: options.Folders,
    data: options.Folders,
    gallery: options.GalleryName,
    backbone_settings: options.ReadingSettings,
    shard: options.ShardIndex,
    shards: options.ShardCount,
    output: NewFolder,
) -> None:
    """Fills one job's share of a gallery's vectors into its trained indexes."""
    for name, vectors in _sides(embeddings, data, gallery, backbone_settings).items():
        index = fill_share(read_index(trained / f"{name}.faiss"), vectors, Shard(shard, shards))
        faiss.write_index(index, str(output / f"{name}.faiss"))


@verb()
def merge_index_verb(shards: options.ShardFolders, trained: options.Folder, output: NewFolder) -> None:
    """Joins the indexes that several jobs filled; their lists stay on the disk, where searches map them."""
    for path in sorted(trained.glob("*.faiss")):
        merge_shares(path, [folder / path.name for folder in shards], output / path.name)


@verb(computes=True)
def retrieve_verb(
    embeddings: options.Folders,
    data: options.Folders,
    index: options.Folder,
    gallery: options.GalleryName,
    backbone_settings: options.ReadingSettings,
    depth: Annotated[int, typer.Option(help="items kept of each query")],
    output: NewFolder,
) -> None:
    """Ranks the gallery for each query of its first split, in both directions and every language."""
    backbone = Reading.model_validate_json(backbone_settings)
    parsed = Gallery.parse(gallery)
    asking = read_gallery_captions(data[:1], parsed, backbone.languages)
    asking_images = gallery_embeddings(embeddings[:1], "images")
    sides = _sides(embeddings, data, gallery, backbone_settings)
    for language in backbone.languages:
        queries = sides[language].take(asking.in_languages([language]).ids).read()
        for way, asked, side in (
            (Direction.TEXT_TO_IMAGE, queries, "images"),
            (Direction.IMAGE_TO_TEXT, asking_images, language),
        ):
            found = retrieve(asked, sides[side].ids, to_device(read_index(index / f"{side}.faiss")), depth=depth)
            write_ranking(output / f"{language}.{way}.npz", found)
