"""The three JSON layouts in which splits of COCO and Flickr30k are published: pictures, each with its captions."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reranksmart.datasets.published.captions import PublishedCaption, collect, with_captions_each
from reranksmart.datasets.published.texts import MEND, field_of, read_json_lines, read_json_text, require_known
from reranksmart.values.records import Captions

# The names of the splits in Karpathy's files; the field trains on train and restval together.
_KARPATHY_SPLITS = {"train": ("train", "restval"), "dev": ("val",), "test": ("test",)}
_COCO_PICTURE = re.compile(r"(?:COCO_(?:train|val|test)\d{4}_)?(0\d{11})")  # 2014's and 2017's names


@dataclass(frozen=True)
class DescribedPicture:
    """A picture's file name without folder and ending, its captions, their published numbers, and where this stands."""

    name: str
    texts: tuple[str, ...]
    numbers: tuple[int, ...]
    place: str


def photograph_id(name: str, *, place: str) -> str:
    """The image id of a picture of COCO or Flickr30k, whichever dataset shows it: ``coco/391895``, ``flickr30k/36979``.

    One photograph has one id in all datasets, so that shared images are found by comparing ids. ValueError names the
    ``place`` of a name that is neither's.
    """
    if coco := _COCO_PICTURE.fullmatch(name):
        return f"coco/{int(coco[1])}"
    if not name.isdecimal():
        raise ValueError(
            f"{place}: {name!r} is neither a number of Flickr30k's nor as COCO_val2014_000000391895 or "
            "000000391895. Mend the name."
        )
    return f"flickr30k/{name}"


def read_pictures(path: Path, *, split: str | None) -> list[DescribedPicture]:
    """The pictures of a split, in the order of the file, in whichever of three layouts it has:

    * Karpathy's ``dataset_*.json`` holds all splits: ``split`` is train (with restval), dev or test;
    * BLIP's ``*_{train,val,test}.json`` holds one: a list of pictures or of captions; ``split`` is None;
    * IGLUE's ``*.jsonl`` holds one: a picture a line; ``split`` is None.

    ValueError names the record where a key is missing or has another type.
    """
    if path.suffix == ".jsonl":
        _require_no_split(path, split)
        return [_of_iglue(row, f"{path}, line {number}") for number, row in read_json_lines(path)]
    content = read_json_text(path)
    if isinstance(content, list):
        _require_no_split(path, split)
        return _of_blip(content, path)
    if isinstance(content, Mapping) and "annotations" in content:
        raise ValueError(
            f"{path} is COCO's own captions file, which has other splits than the field's. Give Karpathy's "
            "dataset_coco.json, or one of BLIP's coco_karpathy_{train,val,test}.json."
        )
    if not isinstance(content, Mapping) or not isinstance(content.get("images"), list):
        raise ValueError(
            f"{path} holds neither a list nor an object with a list of 'images'; Karpathy's and BLIP's layouts are "
            "read. Give one of their files."
        )
    if split is None:
        raise ValueError(f"{path} holds all splits; say which: {list(_KARPATHY_SPLITS)}.")
    require_known(split, _KARPATHY_SPLITS, "split")
    wanted = _KARPATHY_SPLITS[split]
    records = ((row, f"{path}, image {number}") for number, row in enumerate(content["images"], start=1))
    return [_of_karpathy(row, place) for row, place in records if field_of(row, "split", str, place) in wanted]


def read_split(path: Path, *, dataset: str, split: str | None, captions_per_image: int | None) -> Captions:
    """The captions of a split in English; ids are ``{dataset}/{image}#{place among the image's captions}``."""
    pictures = read_pictures(path, split=split)
    captions = collect(_captions(pictures, dataset), source=path)
    return with_captions_each(captions, captions_per_image, source=path)


def caption_id(image_id: str, number: int) -> str:
    """The id of an image's caption, counted from 0."""
    return f"{image_id}#{number}"


def _captions(pictures: Iterable[DescribedPicture], dataset: str) -> Iterator[PublishedCaption]:
    for picture in pictures:
        image_id = photograph_id(picture.name, place=picture.place)
        if not image_id.startswith(f"{dataset}/"):
            raise ValueError(f"{picture.place}: {picture.name!r} is no picture of {dataset}. Give a file of {dataset}.")
        for number, text in enumerate(picture.texts):
            yield PublishedCaption(caption_id(image_id, number), text, image_id, "en", picture.place)


def _of_karpathy(row: Any, place: str) -> DescribedPicture:
    sentences = field_of(row, "sentences", list, place)
    texts = [field_of(sentence, "raw", str, place) for sentence in sentences]
    numbers = [field_of(sentence, "sentid", int, place) for sentence in sentences]
    return DescribedPicture(_stem(field_of(row, "filename", str, place)), tuple(texts), tuple(numbers), place)


def _of_iglue(row: Any, place: str) -> DescribedPicture:
    texts = _texts(field_of(row, "sentences", list, place), place)
    return DescribedPicture(_stem(field_of(row, "img_path", str, place)), texts, (), place)


def _of_blip(rows: Sequence[Any], path: Path) -> list[DescribedPicture]:
    """Dev and test have a record a picture, train a record a caption: those of one picture are brought together."""
    texts: dict[str, list[str]] = {}
    places: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        place = f"{path}, record {number}"
        name = _stem(field_of(row, "image", str, place))
        value = row.get("caption")
        if isinstance(value, list) and name in texts:
            raise ValueError(f"{place}: picture {name!r} stands in {places[name]} already. Remove one of the two.")
        texts.setdefault(name, []).extend(_texts(value if isinstance(value, list) else [value], place))
        places.setdefault(name, place)
    return [DescribedPicture(name, tuple(texts[name]), (), places[name]) for name in texts]


def _texts(values: Sequence[Any], place: str) -> tuple[str, ...]:
    if not values or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{place}: the captions are {values!r}; there must be one or more texts. {MEND}")
    return tuple(values)


def _stem(name: str) -> str:
    return name.rsplit("/", 1)[-1].removesuffix(".jpg")


def _require_no_split(path: Path, split: str | None) -> None:
    if split is not None:
        raise ValueError(f"{path} holds one split only, so that {split!r} cannot be chosen from it; leave split out.")
