"""Verbs that join what several jobs computed into what one would have written."""

from typing import Annotated

import typer

from reranksmart.cli.options import Folder, Folders, ReadingSettings, ShardFolders
from reranksmart.cli.verb import NewFolder, verb
from reranksmart.config.backbones import Reading
from reranksmart.files.storage import read_ranking, read_share
from reranksmart.inputs.captions import read_gallery_captions, read_split_captions
from reranksmart.inputs.images import concatenated, open_store
from reranksmart.ranking.keeping import keep_rankings, keep_scores, keep_vectors
from reranksmart.values.gallery import Gallery
from reranksmart.values.records import Direction


@verb()
def merge_embeddings_verb(
    shards: ShardFolders, captions: Folder, images: Folder, backbone_settings: ReadingSettings, output: NewFolder
) -> None:
    """Joins the vectors of a split's captions and images."""
    texts = read_split_captions(captions, Reading.model_validate_json(backbone_settings).languages)
    ids = {"captions": texts.ids} if len(texts) else {}
    ids["images"] = open_store(images).image_ids
    for name, own in ids.items():
        keep_vectors(output / f"{name}.npz", own, [read_share(folder / f"{name}.npz") for folder in shards])


@verb()
def merge_pair_scores_verb(
    shards: ShardFolders, candidates: Folder, backbone_settings: ReadingSettings, output: NewFolder
) -> None:
    """Joins the log-odds of each query's candidates."""
    for language in Reading.model_validate_json(backbone_settings).languages:
        for direction in Direction:
            name = f"{language}.{direction}"
            shares = [read_share(folder / f"{name}.npz") for folder in shards]
            keep_scores(output, name, len(read_ranking(candidates / f"{name}.npz")), shares)


@verb()
def merge_exhaustive_verb(
    shards: ShardFolders,
    data: Folders,
    images: Folders,
    gallery: Annotated[str, typer.Option(help="dataset.split[+distractors][.captions per image]")],
    backbone_settings: ReadingSettings,
    output: NewFolder,
) -> None:
    """Joins the log-odds of all pairs of a gallery and ranks by them."""
    languages = Reading.model_validate_json(backbone_settings).languages
    captions = read_gallery_captions(data, Gallery.parse(gallery), languages)
    image_ids = concatenated([open_store(folder) for folder in images]).image_ids
    for language in languages:
        shares = [read_share(folder / f"{language}.npz") for folder in shards]
        keep_rankings(output, language, captions.in_languages([language]).ids, image_ids, shares)
