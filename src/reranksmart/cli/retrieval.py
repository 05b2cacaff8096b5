"""Verbs that run a model: encode a split, score candidates, all pairs or twins."""

from typing import Annotated, Literal

import numpy as np
import typer

from reranksmart.cli.options import Folder, Folders, GalleryName, ReadingSettings, ShardCount, ShardIndex
from reranksmart.cli.verb import NewFolder, verb
from reranksmart.config.backbones import Reading
from reranksmart.families import load_model
from reranksmart.files.storage import read_captions, read_ranking, write_twin_scores
from reranksmart.inputs.captions import read_gallery_captions, read_split_captions
from reranksmart.inputs.images import open_images
from reranksmart.inputs.raw import caption_inputs
from reranksmart.models.match_logit import ranked_by
from reranksmart.models.reduced import in_precision
from reranksmart.ranking.encoding import (
    captions_for_pairs,
    encode_captions,
    encode_images,
    images_for_pairs,
    share_of_captions,
    share_of_images,
)
from reranksmart.ranking.keeping import keep_rankings, keep_scores, keep_vectors
from reranksmart.ranking.reranking import score_pairs, share_of_candidates, share_of_matrix
from reranksmart.values.gallery import Gallery
from reranksmart.values.precision import Precision
from reranksmart.values.records import Direction
from reranksmart.values.shards import Shard

Bits = Annotated[Precision, typer.Option(help="auto: bfloat16 where model and hardware gain by it, else float32")]


@verb(computes=True)
def encode_verb(
    model: Folder,
    captions: Folder,
    images: Folder,
    backbone_settings: ReadingSettings,
    output: NewFolder,
    precision: Bits = "float32",
    shard: ShardIndex = 0,
    shards: ShardCount = 1,
) -> None:
    """Embeds the captions and images of one split, each once; or one job's share of them."""
    job = Shard(shard, shards)
    backbone = Reading.model_validate_json(backbone_settings)
    encoder = in_precision(load_model(model), precision)
    texts = read_split_captions(captions, backbone.languages)
    inputs = open_images([images], read_by=model, tag_tokens=backbone.tags_read)
    if len(texts):  # your own pictures may have none
        tokens = caption_inputs(model, texts, max_tokens=backbone.max_tokens)
        keep_vectors(output / "captions.npz", texts.ids, [share_of_captions(encoder, tokens, shard=job)], job)
    keep_vectors(output / "images.npz", inputs.store.image_ids, [share_of_images(encoder, inputs, shard=job)], job)


@verb(computes=True)
def score_candidates_verb(
    model: Folder,
    candidates: Folder,
    data: Folders,
    images: Folders,
    gallery: GalleryName,
    backbone_settings: ReadingSettings,
    depth: Annotated[int, typer.Option(help="candidates of each query that are scored")],
    output: NewFolder,
    precision: Bits = "float32",
    shard: ShardIndex = 0,
    shards: ShardCount = 1,
) -> None:
    """Scores each query with its first candidates: log-odds (Q, K) for every language and direction."""
    job = Shard(shard, shards)
    backbone = Reading.model_validate_json(backbone_settings)
    reranker = ranked_by(in_precision(load_model(model), precision), backbone.score)
    captions = read_gallery_captions(data, Gallery.parse(gallery), backbone.languages)
    tokens = caption_inputs(model, captions, max_tokens=backbone.max_tokens)
    texts = captions_for_pairs(reranker, tokens)
    inputs = open_images(images, read_by=model, tag_tokens=backbone.tags_read)
    seen = images_for_pairs(reranker, inputs)
    row_by_id = {id_: row for row, id_ in enumerate(captions.ids)}
    for language in backbone.languages:
        for direction in Direction:
            ranking = read_ranking(candidates / f"{language}.{direction}.npz")
            share = share_of_candidates(
                reranker,
                texts,
                seen,
                ranking,
                direction,
                caption_row_by_id=row_by_id,
                image_row_by_id=inputs.store.row_by_id,
                depth=depth,
                shard=job,
            )
            keep_scores(output, f"{language}.{direction}", len(ranking), [share], job)


@verb(computes=True)
def score_all_verb(
    model: Folder,
    data: Folders,
    images: Folders,
    gallery: GalleryName,
    backbone_settings: ReadingSettings,
    output: NewFolder,
    precision: Bits = "float32",
    shard: ShardIndex = 0,
    shards: ShardCount = 1,
) -> None:
    """Ranks a gallery exhaustively with a cross-encoder: every caption of the first split with every image."""
    job = Shard(shard, shards)
    backbone = Reading.model_validate_json(backbone_settings)
    reranker = ranked_by(in_precision(load_model(model), precision), backbone.score)
    captions = read_gallery_captions(data, Gallery.parse(gallery), backbone.languages)
    inputs = open_images(images, read_by=model, tag_tokens=backbone.tags_read)
    seen = images_for_pairs(reranker, inputs)
    for language in backbone.languages:
        chosen = captions.in_languages([language])
        tokens = caption_inputs(model, chosen, max_tokens=backbone.max_tokens)
        share = share_of_matrix(reranker, captions_for_pairs(reranker, tokens), seen, shard=job)
        keep_rankings(output, language, chosen.ids, inputs.store.image_ids, [share], job)


@verb(computes=True)
def score_twins_verb(
    model: Folder,
    data: Folder,
    images: Folder,
    backbone_settings: ReadingSettings,
    role: Annotated[Literal["retriever", "reranker"], typer.Option(help="retriever: cosines; reranker: log-odds")],
    output: NewFolder,
    precision: Bits = "float32",
) -> None:
    """Scores every caption of a twin split with its own image and its twin: columns of ``scores.npz``."""
    backbone = Reading.model_validate_json(backbone_settings)
    scorer = in_precision(load_model(model), precision)
    captions = read_captions(data / "captions.jsonl").in_languages(backbone.languages)
    tokens = caption_inputs(model, captions, max_tokens=backbone.max_tokens)
    inputs = open_images([images], read_by=model, tag_tokens=backbone.tags_read)
    own = inputs.store.rows_of(captions.image_ids)
    twin = own ^ 1  # twins are consecutive images 2i and 2i + 1
    if role == "retriever":
        texts = encode_captions(scorer, tokens, captions.ids).vectors
        vectors = encode_images(scorer, inputs).vectors
        scores = [np.einsum("nd,nd->n", texts, vectors[rows]) for rows in (own, twin)]
    else:
        rows = np.arange(len(captions))
        scores = [score_pairs(scorer, tokens, inputs, rows, image_rows) for image_rows in (own, twin)]
    write_twin_scores(output / "scores.npz", captions.ids, own=scores[0], twin=scores[1])
