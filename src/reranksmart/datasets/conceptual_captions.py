"""Conceptual Captions, whose dev set enlarges test sets: the published code's table, or Google's rows of text and URL."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from reranksmart.datasets.published.captions import PublishedCaption, collected
from reranksmart.datasets.published.settings import PublishedInEnglish, UsedSplit
from reranksmart.datasets.published.texts import read_lines, read_table
from reranksmart.values.records import Captions
from reranksmart.values.settings import Name, Place


class TableSplit(UsedSplit):
    captions: Place


class ConceptualCaptions(PublishedInEnglish):
    """One caption an image."""

    kind: Literal["conceptual_captions"]
    layout: Literal["table", "rows"] = Field(
        "table", description="columns caption and image_id, as published code; or Google's rows of caption and URL"
    )
    splits: dict[Name, TableSplit] = Field(description="splits in use, by name")

    sizes = 15_840  # of its dev set
    each = 1

    def read(self, split: str) -> Captions:
        path = Path(self.splits[split].captions)
        return read_conceptual_captions(path) if self.layout == "table" else read_conceptual_captions_rows(path)


@collected
def read_conceptual_captions(path: Path) -> Iterator[PublishedCaption]:
    """The captions of a table with the columns caption and image_id (``cc_test.tsv``; tabs or commas).

    The image id is the column's value as it stands, which is also the name of the image's feature file: the prefix
    ``cc/`` keeps it apart from other datasets', so that nothing is padded.
    """
    for line, row in read_table(path, columns=("caption", "image_id")):
        yield _caption(row["image_id"], row["caption"], f"{path}, line {line}")


@collected
def read_conceptual_captions_rows(path: Path) -> Iterator[PublishedCaption]:
    """The captions of Google's ``Validation_GCC-1.1.0-Validation.tsv``.

    A row is a caption, a tab and a URL, unquoted. An image is named after the number of its row, from 1, and has that
    row's caption; the published scripts count pictures from 1 and captions from 0, and give each image the next one's.
    """
    for number, line in enumerate(read_lines(path), start=1):
        place = f"{path}, line {number}"
        text, tab, url = line.partition("\t")
        if not tab or "\t" in url or "://" not in url:
            raise ValueError(f"{place}: {line!r} is not a caption, a tab and a URL. Fetch the file again.")
        yield _caption(str(number), text, place)


def _caption(image: str, text: str, place: str) -> PublishedCaption:
    if not image.strip():
        raise ValueError(f"{place}: the image id is empty. Mend the row.")
    image_id = f"cc/{image.strip()}"
    return PublishedCaption(f"{image_id}#0", text, image_id, "en", place)
