"""DOCCI: 15,000 pictures, each with a human description of some 136 words (Onoe et al. 2024)."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from reranksmart.datasets.published.captions import PublishedCaption, collected
from reranksmart.datasets.published.settings import PublishedInEnglish, UsedSplits
from reranksmart.datasets.published.texts import field_of, read_json_lines
from reranksmart.values.records import Captions
from reranksmart.values.settings import Place


class Docci(PublishedInEnglish):
    kind: Literal["docci"]
    annotations: Place = Field(description="docci_descriptions.jsonlines")
    splits: UsedSplits

    sizes: ClassVar = {"train": 9_647, "test": 5_000, "qual_dev": 100, "qual_test": 100}
    each = 1

    def read(self, split: str) -> Captions:
        return read_docci(Path(self.annotations), split=self.published_name(split))


@collected
def read_docci(path: Path, *, split: str) -> Iterator[PublishedCaption]:
    """The descriptions of a split, in the order of the file; an image is called as its picture's file."""
    for line, row in read_json_lines(path):
        place = f"{path}, line {line}"
        if field_of(row, "split", str, place) == split:
            image_id = f"docci/{Path(field_of(row, 'image_file', str, place)).stem}"
            yield PublishedCaption(f"{image_id}#0", field_of(row, "description", str, place), image_id, "en", place)
