"""Captions as they are published, with faults that name the place in the file."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec

from reranksmart.datasets.published.texts import AGAIN
from reranksmart.values.records import Captions

P = ParamSpec("P")
CAPTIONS_PER_IMAGE = 5


@dataclass(frozen=True)
class PublishedCaption:
    """A caption with the place that it was read at, for faults to name."""

    id: str
    text: str
    image_id: str
    language: str
    place: str


def collect(captions: Iterable[PublishedCaption], *, source: Path) -> Captions:
    """The captions in the order given, their texts stripped; ValueError where one is empty, two share an id, or none is.

    ``source`` is the file or folder that they come from.
    """
    found: dict[str, PublishedCaption] = {}
    for caption in captions:
        if not caption.text.strip():
            raise ValueError(f"{caption.place}: the caption is empty; each needs a text. {AGAIN}")
        if caption.id in found:
            raise ValueError(
                f"{caption.place}: caption id {caption.id!r} is that of {found[caption.id].place} too; "
                "ids must be unique. Remove one of the two."
            )
        found[caption.id] = caption
    if not found:
        raise ValueError(f"{source} holds no caption of this split. {AGAIN}")
    return Captions(
        tuple(found),
        tuple(caption.text.strip() for caption in found.values()),
        tuple(caption.image_id for caption in found.values()),
        tuple(caption.language for caption in found.values()),
    )


def collected(
    read: Callable[Concatenate[Path, P], Iterator[PublishedCaption]],
) -> Callable[Concatenate[Path, P], Captions]:
    """A reader that returns what this one, of a file or folder, yields; as ``collect`` does."""

    @wraps(read)
    def whole(source: Path, *given: P.args, **named: P.kwargs) -> Captions:
        return collect(read(source, *given, **named), source=source)

    return whole


def with_captions_each(captions: Captions, count: int | None, *, source: Path) -> Captions:
    """The first ``count`` captions of each image in each language, or all for None; ValueError where one has fewer."""
    if count is None:
        return captions
    if count < 1:
        raise ValueError(f"captions per image is {count}; give 1 or more, or none for all.")
    each = Counter(zip(captions.image_ids, captions.languages, strict=True))
    for (image_id, language), number in each.items():
        if number < count:
            raise ValueError(
                f"{source}: image {image_id!r} has {number} captions in {language!r}, not the {count} that are asked "
                "for. Ask for fewer or for all of them, or fetch the file again if it is damaged."
            )
    return captions.first_of_each_image(count)


def of_listed_images(captions: Captions, image_ids: Iterable[str], *, source: Path) -> Captions:
    """The captions of these images, all of which must have one; ``source`` is the file that lists them."""
    listed = tuple(image_ids)
    if missing := sorted(set(listed) - set(captions.image_ids)):
        raise ValueError(
            f"{source}: {len(missing)} of {len(listed)} images have no caption in this split, as {missing[0]!r}. "
            "Give the list and the captions of the same split."
        )
    return captions.of_images(listed)


def first_images(captions: Captions, count: int) -> Captions:
    """The captions of the first ``count`` images, or of all where there are fewer: what a small dev set is."""
    if count < 1:
        raise ValueError(f"cannot take the first {count} images; give 1 or more.")
    return captions.of_images(list(dict.fromkeys(captions.image_ids))[:count])
