"""Crossmodal-3600: 3,600 pictures of the world, described in 36 languages (Thapliyal et al. 2022)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from reranksmart.datasets.published.captions import PublishedCaption, collect
from reranksmart.datasets.published.settings import Published, Subset, require_published
from reranksmart.datasets.published.texts import field_of, read_json_lines, require_known
from reranksmart.values.records import Captions
from reranksmart.values.settings import Language, Name, Place

LANGUAGES = (
    *("ar", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fil", "fr", "he", "hi", "hr", "hu", "id", "it"),
    *("ja", "ko", "mi", "nl", "no", "pl", "pt", "quz", "ro", "ru", "sv", "sw", "te", "th", "tr", "uk", "vi", "zh"),
)
IMAGES = 3_600


class Crossmodal3600(Published):
    kind: Literal["xm3600"]
    annotations: Place = Field(description="captions.jsonl")
    languages: tuple[Language, ...] = LANGUAGES
    captions: Literal["first", "all"] = Field(
        "all",
        description="of an image in a language: all (1 to 5), as in mteb and big_vision; first, as in CLIP_benchmark",
    )
    splits: dict[Name, Subset]

    def read(self, split: str) -> Captions:
        return read_xm3600(Path(self.annotations), languages=self.languages, first=self.captions == "first")

    def size(self, split: str) -> int:
        return IMAGES

    def captions_each(self, language: str) -> int:
        return 1 if self.captions == "first" else 2  # 261,375 in all

    @model_validator(mode="after")
    def _splits_exist(self) -> "Crossmodal3600":
        require_published(self.splits, ("test",))
        for language in self.languages:
            require_known(language, LANGUAGES, "language")
        return self


def read_xm3600(path: Path, *, languages: Sequence[str], first: bool = False) -> Captions:
    """The captions in these languages, image by image in the order of the file; only the ``first`` of each, or all."""
    return collect(_captions(path, languages, 1 if first else None), source=path)


def _captions(path: Path, languages: Sequence[str], most: int | None) -> Iterator[PublishedCaption]:
    for line, row in read_json_lines(path):
        place = f"{path}, line {line}"
        image_id = f"xm3600/{field_of(row, 'image/key', str, place)}"
        for language in languages:
            texts = field_of(field_of(row, language, dict, place), "caption", list, place)
            if not texts or not all(isinstance(text, str) for text in texts):
                raise ValueError(
                    f"{place}: the captions in {language!r} are {texts!r}, not one or more texts. Mend the line."
                )
            for number, text in enumerate(texts[:most]):
                yield PublishedCaption(f"{image_id}#{language}{number}", text, image_id, language, place)
