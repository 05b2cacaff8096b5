"""Flickr30k in its two splits: ``karpathy``, the field's, and ``entities``, the published code's.

They share 25 of 1,000 test images and 944 Karpathy test images are in Entities train: do not mix them.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from reranksmart.datasets.published.annotations import caption_id, photograph_id, read_split
from reranksmart.datasets.published.captions import CAPTIONS_PER_IMAGE, PublishedCaption, collect, with_captions_each
from reranksmart.datasets.published.settings import AnnotatedSplit, PublishedInEnglish
from reranksmart.datasets.published.texts import read_lines, read_list, require_known
from reranksmart.values.records import Captions
from reranksmart.values.settings import Count, Name, Place

IMAGES = {
    "karpathy": {"train": 29_000, "dev": 1_014, "test": 1_000},
    "entities": {"train": 29_783, "dev": 1_000, "test": 1_000},
}
_ENTITIES_SPLITS = {"train": "train", "dev": "val", "test": "test"}
# [/EN#<chain>/<type>/<type> some words]
_PHRASE = re.compile(r"\[/EN#\d+(?:/[^\s/\[\]]+)+\s+([^\[\]]*[^\[\]\s])\s*\]")


class Flickr30k(PublishedInEnglish):
    """Its two divisions share images across splits: a model of one is not to be tested on the other."""

    kind: Literal["flickr30k"]
    division: Literal["karpathy", "entities"] = Field("karpathy", description="the field's; or the published code's")
    annotations: Place | None = Field(
        None, description="karpathy: dataset_flickr30k.json; entities: the folder of train.txt, val.txt and test.txt"
    )
    sentences: Place | None = Field(None, description="entities: the folder of sentences; null: annotations/Sentences")
    captions_per_image: Count | None = Field(5, description="null: all")
    splits: dict[Name, AnnotatedSplit] = Field(description="splits in use, by name")

    terms = (
        "Flickr30k is provided for non-commercial research and education only, and use of its images must abide by the "
        "Flickr Terms of Use."
    )

    def read(self, split: str) -> Captions:
        subset, of, each = self.splits[split], self.published_name(split), self.captions_per_image
        if subset.annotations:
            return read_flickr30k(Path(subset.annotations), captions_per_image=each)
        folder = Path(str(self.annotations))
        if self.division == "karpathy":
            return read_flickr30k(folder, split=of, captions_per_image=each)
        sentences = Path(self.sentences) if self.sentences else None
        return read_flickr30k_entities(folder, split=of, captions_per_image=each, sentences=sentences)

    def published_sizes(self) -> Mapping[str, int]:
        return IMAGES[self.division]


def read_flickr30k(
    path: Path, *, split: str | None = None, captions_per_image: int | None = CAPTIONS_PER_IMAGE
) -> Captions:
    """The captions of a split from Karpathy's json (29,000 / 1,014 / 1,000 images) or from a file of one split.

    Image ids are Flickr's numbers (``flickr30k/36979``); None keeps all captions of an image.
    """
    return read_split(path, dataset="flickr30k", split=split, captions_per_image=captions_per_image)


def read_flickr30k_entities(
    folder: Path,
    *,
    split: str,
    captions_per_image: int | None = CAPTIONS_PER_IMAGE,
    sentences: Path | None = None,
) -> Captions:
    """The captions of an Entities split (29,783 / 1,000 / 1,000 images), in the order of its list, without markup.

    Reads ``{train,val,test}.txt`` and ``Sentences/{image}.txt``, or the files in ``sentences``; the texts are
    tokenised, as they are published.
    """
    texts = sentences or folder / "Sentences"
    captions = collect(_of_sentences(texts, read_entities_list(folder, split=split)), source=folder)
    return with_captions_each(captions, captions_per_image, source=folder)


def read_entities_list(folder: Path, *, split: str) -> list[str]:
    """The image ids of an Entities split, in the order of its list."""
    require_known(split, _ENTITIES_SPLITS, "split")
    path = folder / f"{_ENTITIES_SPLITS[split]}.txt"
    return [photograph_id(name, place=f"{path}, line {line}") for line, name in enumerate(read_list(path), start=1)]


def strip_markup(sentence: str) -> str:
    """The sentence without the brackets of its phrases; ValueError where a bracket stays: a phrase does not close.

    >>> strip_markup("[/EN#11/people A man] with [/EN#12/other a red ball] runs .")
    'A man with a red ball runs .'
    """
    plain = _PHRASE.sub(r"\1", sentence)
    stray = re.search(r"[\[\]]", plain)
    if stray:
        raise ValueError(
            f"the markup does not close or open at {plain[stray.start() : stray.start() + 40]!r}; "
            "a phrase is [/EN#<number>/<type> <words>]"
        )
    return plain


def _of_sentences(folder: Path, image_ids: list[str]) -> Iterator[PublishedCaption]:
    for image_id in image_ids:
        path = folder / f"{image_id.split('/')[1]}.txt"
        if not path.is_file():
            raise ValueError(
                f"{path} does not exist, but the split's list names its image. Unpack annotations.zip of Flickr30k "
                f"Entities, so that its Sentences are {folder}."
            )
        numbered = [(line, text) for line, text in enumerate(read_lines(path), start=1) if text.strip()]
        for number, (line, text) in enumerate(numbered):
            place = f"{path}, line {line}"
            try:
                words = strip_markup(text)
            except ValueError as error:
                raise ValueError(f"{place}: {error}. Mend the line or unpack annotations.zip again.") from error
            yield PublishedCaption(caption_id(image_id, number), words, image_id, "en", place)
