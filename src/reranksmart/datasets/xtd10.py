"""XTD10: 1,000 COCO pictures with one caption each in eleven languages (Aggarwal and Kale 2020).

The captions of German and French come from Multi30k's task on COCO (``MIC``), the Japanese from ``STAIR``; the others
are translations. 800 of the pictures are of COCO's train2014: a model that learned from COCO may know them.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Literal, get_args

from pydantic import Field

from reranksmart.datasets.published.annotations import photograph_id
from reranksmart.datasets.published.captions import PublishedCaption, collected
from reranksmart.datasets.published.settings import Published, UsedSplits
from reranksmart.datasets.published.texts import read_lines_beside, read_list
from reranksmart.values.records import Captions
from reranksmart.values.settings import Place

Language = Literal["en", "de", "fr", "es", "it", "ja", "ko", "pl", "ru", "tr", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
_FOLDERS = {"de": "MIC", "fr": "MIC", "ja": "STAIR"}
_CODES = {"ja": "jp"}  # in the names of the files


class Xtd10(Published):
    kind: Literal["xtd10"]
    annotations: Place = Field(description="the folder that holds XTD10, MIC and STAIR")
    languages: tuple[Language, ...] = Field(LANGUAGES, description="that are read of the captions")
    splits: UsedSplits

    sizes: ClassVar = {"test": 1_000}
    each = 1
    terms = "XTD10 is provided under Adobe's licence for non-commercial research only."

    def read(self, split: str) -> Captions:
        return read_xtd10(Path(self.annotations), languages=self.languages)


@collected
def read_xtd10(folder: Path, *, languages: Sequence[str]) -> Iterator[PublishedCaption]:
    """The captions in these languages: all of the first, then all of the second, in the order of the list of pictures."""
    list_path = folder / "XTD10" / "test_image_names.txt"
    names = [name.removesuffix(".jpg") for name in read_list(list_path)]
    for language in languages:
        path = folder / _FOLDERS.get(language, "XTD10") / f"test_1kcaptions_{_CODES.get(language, language)}.txt"
        texts = read_lines_beside(path, len(names), str(list_path))
        for line, (name, text) in enumerate(zip(names, texts, strict=True), start=1):
            place = f"{path}, line {line}"
            yield PublishedCaption(f"xtd10/{name}#{language}", text, photograph_id(name, place=place), language, place)
