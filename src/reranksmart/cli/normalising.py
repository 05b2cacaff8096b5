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
from reranksmart.ranking.normalised import Sides, rank_normalised
from reranksmart.values.gallery import Gallery
from reranksmart.values.records import Direction


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
    languages, parsed = Reading.model_validate_json(backbone_settings).languages, Gallery.parse(gallery)
    bank_sides, dev_sides, truth = _sides(bank_data, bank), _sides(dev_data, dev), read_relevance(dev_relevance)
    found, asked = (read_gallery_captions(folders, parsed, languages) for folders in (data, data[:1]))
    texts, images = (gallery_embeddings(embeddings, side) for side in ("captions", "images"))
    searched = Sides(found, texts, images)
    asking = Sides(asked, texts, gallery_embeddings(embeddings[:1], "images"))
    chosen: dict[str, dict[str, object]] = {language: {} for language in languages}
    for language, way in ((language, way) for language in languages for way in Direction):
        normalisation, ranking = rank_normalised(
            asking, searched, way, language, bank=bank_sides, dev=dev_sides, truth=truth, depth=depth
        )
        chosen[language][way.value] = asdict(normalisation)
        write_ranking(output / f"{language}.{way}.npz", ranking)
    write_json(output / "normalisations.json", chosen)


def _sides(data: Path, embeddings: Path) -> Sides:
    texts, images = (gallery_embeddings([embeddings], side) for side in ("captions", "images"))
    return Sides(read_captions(data / "captions.jsonl"), texts, images)
