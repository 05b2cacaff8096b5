"""The verb that retrieves with hubs pushed back."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from reranksmart.cli.options import Folder, Folders, GalleryName, ReadingSettings
from reranksmart.cli.searching import gallery_embeddings
from reranksmart.cli.verb import NewFolder, verb
from reranksmart.config.backbones import Reading
from reranksmart.files.storage import read_captions, read_relevance, write_json, write_ranking
from reranksmart.inputs.captions import read_gallery_captions
from reranksmart.ranking.normalised import choose_normalisation, retrieve_normalised
from reranksmart.values.gallery import Gallery
from reranksmart.values.records import Captions, Direction, Embeddings


@verb(computes=True)
def retrieve_normalised_verb(
    embeddings: Folders,
    data: Folders,
    gallery: GalleryName,
    bank: Annotated[Path, typer.Option(help="embeddings of the training split: captions and images that ask")],
    bank_data: Folder,
    dev: Annotated[Path, typer.Option(help="embeddings of the split on which weight and neighbours are chosen")],
    dev_data: Folder,
    dev_relevance: Folder,
    backbone_settings: ReadingSettings,
    depth: Annotated[int, typer.Option(help="items kept of each query")],
    output: NewFolder,
) -> None:
    """Ranks the gallery as ``retrieve`` does, each item's score less what it owes to being near to every query.

    What was chosen stands in normalisations.json, by language and direction.
    """
    backbone, parsed = Reading.model_validate_json(backbone_settings), Gallery.parse(gallery)
    found, asking = (read_gallery_captions(folders, parsed, backbone.languages) for folders in (data, data[:1]))
    texts, images = (gallery_embeddings(embeddings, side) for side in ("captions", "images"))
    asking_images = gallery_embeddings(embeddings[:1], "images")
    banks, devs = ([gallery_embeddings([folder], side) for side in ("captions", "images")] for folder in (bank, dev))
    bank_captions, dev_captions = (read_captions(folder / "captions.jsonl") for folder in (bank_data, dev_data))
    truth = read_relevance(dev_relevance)

    def of(vectors: Embeddings, captions: Captions, language: str) -> Embeddings:
        return vectors.take(captions.in_languages([language]).ids)

    chosen: dict[str, dict[str, object]] = {}
    for language in backbone.languages:
        chosen[language] = {}
        for way in Direction:
            known, _ = way.pair(of(banks[0], bank_captions, language), banks[1])
            asked, items = way.pair(of(devs[0], dev_captions, language), devs[1])
            normalisation = choose_normalisation(asked, items, known.vectors, truth, way)
            chosen[language][way.value] = asdict(normalisation)
            queries, _ = way.pair(of(texts, asking, language), asking_images)
            _, items = way.pair(of(texts, found, language), images)
            hubness = normalisation.hubness(items.vectors, known.vectors)
            ranking = retrieve_normalised(queries, items, hubness, depth=depth)
            write_ranking(output / f"{language}.{way}.npz", ranking)
    write_json(output / "normalisations.json", chosen)
