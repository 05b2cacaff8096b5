"""The captions of a gallery, read from its splits."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from reranksmart.gallery import Gallery
from reranksmart.records import Captions
from reranksmart.storage import read_captions


def read_gallery_captions(folders: list[Path], gallery: Gallery, languages: tuple[str, ...]) -> Captions:
    """The captions of all splits of a gallery, as many of each image as it names."""
    parts = [read_captions(folder / "captions.jsonl").in_languages(languages) for folder in folders]
    columns = [
        tuple(chain.from_iterable(getattr(part, name) for part in parts))
        for name in ("ids", "texts", "image_ids", "languages")
    ]
    captions = Captions(*columns)
    return captions.first_of_each_image(gallery.captions_per_image) if gallery.captions_per_image else captions
