"""MS COCO: Karpathy's splits, the files of the published code (OSCAR's ``coco_ir``), and the 1k test sets."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from reranksmart.datasets.published.annotations import caption_id, photograph_id, read_pictures, read_split
from reranksmart.datasets.published.captions import (
    CAPTIONS_PER_IMAGE,
    PublishedCaption,
    collect,
    of_listed_images,
    with_captions_each,
)
from reranksmart.datasets.published.settings import AnnotatedSplit, PublishedInEnglish
from reranksmart.datasets.published.texts import read_list, require_known
from reranksmart.values.records import Captions
from reranksmart.values.settings import Count, Name, Place

FOLDS = 5
LISTED = 1_000  # images of one of the five folds, and of the published list
_OSCAR_SPLITS = {"train": "train", "dev": "minival", "test": "test"}


class CocoSplit(AnnotatedSplit):
    image_list: Place | None = Field(
        None, description="only its images (test_img_keys_1k.tsv: the published code's 1k)"
    )
    fold: int | None = Field(None, ge=1, le=FOLDS, description="one of the field's five folds of 1,000 test images")


class Coco(PublishedInEnglish):
    kind: Literal["coco"]
    layout: Literal["karpathy", "oscar"] = Field(
        "karpathy", description="annotations are Karpathy's dataset_coco.json; or OSCAR's folder coco_ir"
    )
    annotations: Place | None = Field(None, description="that file or folder")
    captions_per_image: Count | None = Field(5, description="of 5 to 7; null: all (25,010 of test), as published code")
    splits: dict[Name, CocoSplit] = Field(description="splits in use, by name")

    sizes: ClassVar = {"train": 113_287, "dev": 5_000, "test": 5_000}

    def read(self, split: str) -> Captions:
        subset, of, each = self.splits[split], self.published_name(split), self.captions_per_image
        if subset.annotations:
            captions = read_coco(Path(subset.annotations), captions_per_image=each)
        elif self.layout == "karpathy":
            captions = read_coco(Path(str(self.annotations)), split=of, captions_per_image=each)
        else:
            captions = read_oscar_coco(Path(str(self.annotations)), split=of, captions_per_image=each)
        if subset.image_list:
            captions = coco_1k(captions, Path(subset.image_list))
        return coco_folds(captions)[subset.fold - 1] if subset.fold else captions

    def image_count(self, split: str) -> int:
        subset, count = self.splits[split], super().image_count(split)
        return min(count, LISTED) if subset.fold or subset.image_list else count

    def numbers_captions(self, split: str) -> bool:
        """Whether a split is of the published test images, read from a file that gives COCO's number of each caption."""
        subset = self.splits.get(split, CocoSplit())
        return self.layout == "karpathy" and subset.annotations is None and (subset.of or split) == "test"

    def caption_numbers(self, split: str) -> dict[str, int]:
        """COCO's own number of each caption of a split, with those beyond the five that are read of an image."""
        return read_coco_numbers(Path(str(self.annotations)), split=self.published_name(split))


def read_coco(path: Path, *, split: str | None = None, captions_per_image: int | None = CAPTIONS_PER_IMAGE) -> Captions:
    """The captions of a split from Karpathy's json (train with restval, dev, test) or from a file of one split.

    Five captions an image are kept, the field's protocol: 25,000 of the 5k test images; None keeps all 25,010, as the
    published code does. Image ids are COCO's own (``coco/391895``).
    """
    return read_split(path, dataset="coco", split=split, captions_per_image=captions_per_image)


def read_coco_numbers(path: Path, *, split: str) -> dict[str, int]:
    """COCO's own number (annotation id) of each caption id, for relevance judgements that go by it (ECCV, CxC)."""
    return {
        caption_id(photograph_id(picture.name, place=picture.place), place): number
        for picture in read_pictures(path, split=split)
        for place, number in enumerate(picture.numbers)
    }


def read_oscar_coco(folder: Path, *, split: str, captions_per_image: int | None = CAPTIONS_PER_IMAGE) -> Captions:
    """The captions of train, dev (OSCAR's minival) or test in the order of the split's list of images.

    Reads ``{split}_img_keys.tsv`` and ``{split}_captions.pt``.
    """
    require_known(split, _OSCAR_SPLITS, "split")
    published = _OSCAR_SPLITS[split]
    list_path, captions_path = folder / f"{published}_img_keys.tsv", folder / f"{published}_captions.pt"
    texts = _read_oscar_texts(captions_path)
    captions = collect(_of_keys(read_coco_list(list_path), list_path, texts, captions_path), source=captions_path)
    return with_captions_each(captions, captions_per_image, source=captions_path)


def read_coco_list(path: Path) -> list[str]:
    """The image ids of a list in OSCAR's form: COCO's number of an image a line, without a header."""
    for line, entry in enumerate(keys := read_list(path), start=1):
        if not entry.isdecimal():
            raise ValueError(
                f"{path}, line {line}: {entry!r} is no number of a COCO image. Give a list without header."
            )
    return [f"coco/{int(key)}" for key in keys]


def coco_1k(captions: Captions, path: Path) -> Captions:
    """The captions of the images in a list in OSCAR's form: with its 1k list, the published code's single 1k test set."""
    return of_listed_images(captions, read_coco_list(path), source=path)


def coco_folds(captions: Captions, *, count: int = FOLDS) -> tuple[Captions, ...]:
    """Equal parts of consecutive images, in the order of the file: 5k test gives the field's five folds of 1k."""
    image_ids = list(dict.fromkeys(captions.image_ids))
    size, rest = divmod(len(image_ids), count)
    if rest or not size:
        raise ValueError(
            f"{len(image_ids)} images do not make {count} equal folds; the 5k test images make 5 of 1,000."
        )
    return tuple(captions.of_images(image_ids[start : start + size]) for start in range(0, len(image_ids), size))


def _of_keys(
    image_ids: list[str], list_path: Path, texts: dict[str, Any], captions_path: Path
) -> Iterator[PublishedCaption]:
    for line, image_id in enumerate(image_ids, start=1):
        place = f"{captions_path}, image {image_id!r}"
        if image_id not in texts:
            raise ValueError(
                f"{list_path}, line {line}: image {image_id!r} has no captions in {captions_path}. "
                "Give the list and the captions of the same split."
            )
        for number, text in enumerate(_listed_texts(texts[image_id], place)):
            yield PublishedCaption(caption_id(image_id, number), text, image_id, "en", place)


def _listed_texts(value: Any, place: str) -> list[str]:
    """The captions of an image, which are a list or the JSON text of one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError as error:
            raise ValueError(f"{place}: its captions are not JSON ({error}). Fetch the file again.") from error
    if not isinstance(value, list) or not value or not all(isinstance(text, str) for text in value):
        raise ValueError(f"{place}: its captions are {value!r}; they must be a list of texts. Fetch the file again.")
    return value


def _read_oscar_texts(path: Path) -> dict[str, Any]:
    """The captions of each image id, as they are in the file. Only plain values are unpickled."""
    from reranksmart.files.weights import read_pickled  # imports torch, which takes seconds and only this layout needs

    again = "Fetch OSCAR's coco_ir again, or set the dataset's folder to where it is."
    content = read_pickled(path, remedy=again)
    if not all(str(key).isdecimal() for key in content):
        raise ValueError(f"{path} must hold a dictionary from COCO's image numbers to captions. Fetch the file again.")
    return {f"coco/{int(key)}": value for key, value in content.items()}
