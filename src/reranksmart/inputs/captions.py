"""The captions that a backbone reads, or that ask: of one split, and of a gallery's splits together."""

from pathlib import Path

from reranksmart.files.storage import read_captions
from reranksmart.values.gallery import Gallery
from reranksmart.values.records import Captions


def read_gallery_captions(folders: list[Path], gallery: Gallery, languages: tuple[str, ...]) -> Captions:
    """The captions of all splits of a gallery, as many of each image as it names.

    The first split, which asks, has all of the languages; the others may lack some.
    """
    asking, *others = [read_captions(folder / "captions.jsonl") for folder in folders]
    parts = [asking.in_languages(languages), *(part.in_any_language(languages) for part in others)]
    return _as_many(Captions.concatenated(parts), gallery)


def read_split_captions(path: Path, languages: tuple[str, ...]) -> Captions:
    """The captions of a split in those of the languages that it has; none where it has no captions at all."""
    captions = read_captions(path)
    if not len(captions):
        return captions
    return captions.in_languages(set(languages) & set(captions.languages) or languages)


def read_asking_captions(folder: Path, gallery: str) -> Captions:
    """The captions of a split that a gallery of this name asks."""
    return _as_many(read_captions(folder / "captions.jsonl"), Gallery.parse(gallery))


def _as_many(captions: Captions, gallery: Gallery) -> Captions:
    """As many captions of each image as the gallery names."""
    return captions.first_of_each_image(gallery.captions_per_image) if gallery.captions_per_image else captions
