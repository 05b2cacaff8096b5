"""Urban1k: 1,000 street scenes, each with a long machine-made description (Zhang et al. 2024, Long-CLIP)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from reranksmart.datasets.published.captions import PublishedCaption, collect
from reranksmart.datasets.published.settings import Published, Subset, require_published
from reranksmart.datasets.published.texts import AGAIN, read_lines
from reranksmart.values.records import Captions
from reranksmart.values.settings import Name, Place

IMAGES = 1_000


class Urban1k(Published):
    kind: Literal["urban1k"]
    annotations: Place = Field(description="the folder caption, of 1.txt, 2.txt, ...; its pictures are in image")
    splits: dict[Name, Subset]

    @property
    def languages(self) -> tuple[str, ...]:
        return ("en",)

    def read(self, split: str) -> Captions:
        return read_urban1k(Path(self.annotations))

    def size(self, split: str) -> int:
        return IMAGES

    def captions_each(self, language: str) -> int:
        return 1

    @model_validator(mode="after")
    def _splits_exist(self) -> "Urban1k":
        require_published(self.splits, ("test",))
        return self


def read_urban1k(folder: Path) -> Captions:
    """The first line of each text in the folder, in the order of their numbers."""
    return collect(_captions(folder), source=folder)


def _captions(folder: Path) -> Iterator[PublishedCaption]:
    paths = [path for path in folder.glob("*.txt") if path.stem.isdecimal()]
    if not paths:
        raise ValueError(f"{folder} holds no text called as 1.txt. {AGAIN}")
    for path in sorted(paths, key=lambda path: int(path.stem)):
        text = next(iter(read_lines(path)), "")
        yield PublishedCaption(f"urban1k/{path.stem}#0", text, f"urban1k/{path.stem}", "en", f"{path}, line 1")
