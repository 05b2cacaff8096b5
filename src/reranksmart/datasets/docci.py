"""DOCCI: 15,000 pictures, each with a human description of some 136 words (Onoe et al. 2024)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from reranksmart.datasets.published.captions import PublishedCaption, collect
from reranksmart.datasets.published.settings import Published, Subset, require_published
from reranksmart.datasets.published.texts import field_of, read_json_lines
from reranksmart.values.records import Captions
from reranksmart.values.settings import Name, Place

IMAGES = {"train": 9_647, "test": 5_000, "qual_dev": 100, "qual_test": 100}


class Docci(Published):
    kind: Literal["docci"]
    annotations: Place = Field(description="docci_descriptions.jsonlines")
    splits: dict[Name, Subset]

    @property
    def languages(self) -> tuple[str, ...]:
        return ("en",)

    def read(self, split: str) -> Captions:
        return read_docci(Path(self.annotations), split=self.published_name(split))

    def size(self, split: str) -> int:
        return IMAGES[self.published_name(split)]

    def captions_each(self, language: str) -> int:
        return 1

    @model_validator(mode="after")
    def _splits_exist(self) -> "Docci":
        require_published(self.splits, IMAGES)
        return self


def read_docci(path: Path, *, split: str) -> Captions:
    """The descriptions of a split, in the order of the file; an image is called as its picture's file."""
    return collect(_captions(path, split), source=path)


def _captions(path: Path, split: str) -> Iterator[PublishedCaption]:
    for line, row in read_json_lines(path):
        place = f"{path}, line {line}"
        if field_of(row, "split", str, place) == split:
            image_id = f"docci/{Path(field_of(row, 'image_file', str, place)).stem}"
            yield PublishedCaption(f"{image_id}#0", field_of(row, "description", str, place), image_id, "en", place)
