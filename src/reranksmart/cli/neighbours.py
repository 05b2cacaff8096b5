"""The verb that re-ranks beyond the first k candidates by following neighbours."""

from pathlib import Path
from typing import Annotated

import typer

from reranksmart.cli.options import Folder, Folders, GalleryName, ReadingSettings
from reranksmart.cli.retrieval import Bits
from reranksmart.cli.searching import gallery_embeddings
from reranksmart.cli.verb import NewFolder, verb
from reranksmart.config.backbones import Reading
from reranksmart.families import load_model
from reranksmart.files.storage import read_ranking, write_ranking
from reranksmart.inputs.captions import read_gallery_captions
from reranksmart.inputs.images import open_images
from reranksmart.inputs.raw import caption_inputs
from reranksmart.models.match_logit import ranked_by
from reranksmart.models.reduced import in_precision
from reranksmart.ranking.encoding import captions_for_pairs, images_for_pairs
from reranksmart.ranking.neighbours import graph_of, pair_scorer, rerank_with_neighbours
from reranksmart.ranking.reranking import rows_of
from reranksmart.values.gallery import Gallery
from reranksmart.values.records import Direction


@verb(computes=True)
def rerank_neighbours_verb(
    model: Folder,
    candidates: Folder,
    embeddings: Annotated[list[Path], typer.Option(help="of the gallery by the retriever: who is near to whom")],
    data: Folders,
    images: Folders,
    gallery: GalleryName,
    backbone_settings: ReadingSettings,
    neighbours: Annotated[int, typer.Option(help="of an item that are judged after it", min=1)],
    depths: Annotated[str, typer.Option(help="pairs a query, separated by commas")],
    output: NewFolder,
    precision: Bits = "float32",
) -> None:
    """Re-ranks the candidates and neighbours of good ones: a final ranking for each language, direction and depth."""
    backbone = Reading.model_validate_json(backbone_settings)
    reranker = ranked_by(in_precision(load_model(model), precision), backbone.score)
    captions = read_gallery_captions(data, Gallery.parse(gallery), backbone.languages)
    texts = captions_for_pairs(reranker, caption_inputs(model, captions, max_tokens=backbone.max_tokens))
    inputs = open_images(images, read_by=model, tag_tokens=backbone.tags_read)
    seen = images_for_pairs(reranker, inputs)
    row_by_id = {id_: row for row, id_ in enumerate(captions.ids)}
    vectors = tuple(gallery_embeddings(embeddings, side) for side in ("captions", "images"))
    for language, way in ((language, way) for language in backbone.languages for way in Direction):
        found = read_ranking(candidates / f"{language}.{way}.npz")
        _, side = way.pair(*vectors)
        graph = graph_of(side.take(found.gallery_ids).vectors, neighbours=neighbours)
        score = pair_scorer(reranker, texts, seen, way, *rows_of(found, way, row_by_id, inputs.store.row_by_id))
        for depth in map(int, depths.split(",")):
            after = rerank_with_neighbours(found, graph, score, pairs=depth)
            write_ranking(output / f"{language}.{way}.{depth}.npz", after)
