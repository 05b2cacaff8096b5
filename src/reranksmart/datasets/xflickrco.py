"""xFlickrCO: 1,000 Flickr30k and 1,000 COCO test images with one caption each in eight languages (IGLUE)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field

from reranksmart.datasets.published.annotations import photograph_id, read_pictures
from reranksmart.datasets.published.captions import PublishedCaption, collected
from reranksmart.datasets.published.settings import Published, UsedSplits
from reranksmart.datasets.published.texts import require_known
from reranksmart.values.records import Captions
from reranksmart.values.settings import Place

Language = Literal["en", "de", "es", "id", "ja", "ru", "tr", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
# The published test files hold two empty captions: language and picture.
_PUBLISHED_EMPTY = {("de", "COCO_val2014_000000122239"), ("id", "6312211170")}


class XFlickrCO(Published):
    kind: Literal["xflickrco"]
    annotations: Place = Field(description="the folder that holds annotations/{language}/{split}.jsonl")
    languages: tuple[Language, ...] = Field(LANGUAGES, description="that are read of the captions")
    splits: UsedSplits

    sizes = 2_000
    each = 1

    def read(self, split: str) -> Captions:
        return read_xflickrco(Path(self.annotations), languages=self.languages, split=self.published_name(split))


@collected
def read_xflickrco(folder: Path, *, languages: Sequence[str], split: str = "test") -> Iterator[PublishedCaption]:
    """The captions in these languages: all of the first, then all of the second, in the order of their files.

    Reads ``annotations/{language}/{split}.jsonl``; besides ``test`` there are few-shot splits (``train_100``). Images
    have their ids of Flickr30k and COCO. Two captions are published empty, one in German and one in Indonesian: they
    are left out, so that these languages have 1,999; any other empty caption is a fault.
    """
    for language in languages:
        require_known(language, LANGUAGES, "language")
        for picture in read_pictures(folder / "annotations" / language / f"{split}.jsonl", split=None):
            image_id = photograph_id(picture.name, place=picture.place)
            for number, text in enumerate(picture.texts):
                if not text and (language, picture.name) in _PUBLISHED_EMPTY:
                    continue
                caption_id = f"xflickrco/{picture.name}#{language}{number}"
                yield PublishedCaption(caption_id, text, image_id, language, picture.place)
