"""Crossmodal-3600: 3,600 pictures of the world, described in 36 languages (Thapliyal et al. 2022)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from reranksmart.datasets.published.captions import PublishedCaption, collected
from reranksmart.datasets.published.settings import Published, UsedSplits
from reranksmart.datasets.published.texts import field_of, read_json_lines, require_known
from reranksmart.values.records import Captions
from reranksmart.values.settings import Language, Place

LANGUAGES = (
    *("ar", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fil", "fr", "he", "hi", "hr", "hu", "id", "it"),
    *("ja", "ko", "mi", "nl", "no", "pl", "pt", "quz", "ro", "ru", "sv", "sw", "te", "th", "tr", "uk", "vi", "zh"),
)


class Crossmodal3600(Published):
    kind: Literal["xm3600"]
    annotations: Place = Field(description="captions.jsonl")
    languages: tuple[Language, ...] = Field(LANGUAGES, description="that are read of the captions")
    captions: Literal["first", "all"] = Field(
        "all",
        description="of an image in a language: all (1 to 5), as in mteb and big_vision; first, as in CLIP_benchmark",
    )
    splits: UsedSplits

    sizes: ClassVar = {"test": 3_600}

    def read(self, split: str) -> Captions:
        return read_xm3600(Path(self.annotations), languages=self.languages, first=self.captions == "first")

    def captions_each(self, language: str) -> int:
        return 1 if self.captions == "first" else 2  # 261,375 in all

    @model_validator(mode="after")
    def _languages_are_known(self) -> Self:
        for language in self.languages:
            require_known(language, LANGUAGES, "language")
        return self


@collected
def read_xm3600(path: Path, *, languages: Sequence[str], first: bool = False) -> Iterator[PublishedCaption]:
    """The captions in these languages, image by image in the order of the file; only the ``first`` of each, or all."""
    for line, row in read_json_lines(path):
        place = f"{path}, line {line}"
        image_id = f"xm3600/{field_of(row, 'image/key', str, place)}"
        for language in languages:
            texts = field_of(field_of(row, language, dict, place), "caption", list, place)
            if not texts or not all(isinstance(text, str) for text in texts):
                raise ValueError(
                    f"{place}: the captions in {language!r} are {texts!r}, not one or more texts. Mend the line."
                )
            for number, text in enumerate(texts[: 1 if first else None]):
                yield PublishedCaption(f"{image_id}#{language}{number}", text, image_id, language, place)
