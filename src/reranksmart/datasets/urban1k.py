"""Urban1k: 1,000 street scenes, each with a long machine-made description (Zhang et al. 2024, Long-CLIP)."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from reranksmart.datasets.published.captions import PublishedCaption, collected
from reranksmart.datasets.published.settings import PublishedInEnglish, UsedSplits
from reranksmart.datasets.published.texts import AGAIN, read_lines
from reranksmart.values.records import Captions
from reranksmart.values.settings import Place


class Urban1k(PublishedInEnglish):
    kind: Literal["urban1k"]
    annotations: Place = Field(description="the folder caption, of 1.txt, 2.txt, ...; its pictures are in image")
    splits: UsedSplits

    sizes: ClassVar = {"test": 1_000}
    each = 1

    def read(self, split: str) -> Captions:
        return read_urban1k(Path(self.annotations))


@collected
def read_urban1k(folder: Path) -> Iterator[PublishedCaption]:
    """The first line of each text in the folder, in the order of their numbers."""
    paths = [path for path in folder.glob("*.txt") if path.stem.isdecimal()]
    if not paths:
        raise ValueError(f"{folder} holds no text called as 1.txt. {AGAIN}")
    for path in sorted(paths, key=lambda path: int(path.stem)):
        text = next(iter(read_lines(path)), "")
        yield PublishedCaption(f"urban1k/{path.stem}#0", text, f"urban1k/{path.stem}", "en", f"{path}, line 1")
