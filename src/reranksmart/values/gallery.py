"""The name of a gallery, as it stands in paths: ``scenes.test``, ``scenes.test+distractors``, ``scenes.test.1``.

Splits of other datasets are named with theirs: ``flickr30k.test+coco.test+cc.dev``.
"""

import re
from dataclasses import dataclass

_NAME = re.compile(r"(.+?)(?:\.(\d+))?")


@dataclass(frozen=True)
class Gallery:
    """A gallery's name taken apart: the captions and images of the first split ask, those of all answer.

    ``places`` are (dataset, split).
    """

    places: tuple[tuple[str, str], ...]
    captions_per_image: int | None

    @staticmethod
    def of(dataset: str, splits: tuple[str, ...], captions_per_image: int | None = None) -> "Gallery":
        """``splits`` are the dataset's own, or another's as ``dataset.split``."""
        places = [tuple(split.split(".")) if "." in split else (dataset, split) for split in splits]
        return Gallery(tuple((first, second) for first, second in places), captions_per_image)

    @staticmethod
    def parse(name: str) -> "Gallery":
        found = _NAME.fullmatch(name)
        if found is None or "." not in found[1].split("+")[0]:
            raise ValueError(f"{name!r} names no gallery; a name is as scenes.test+distractors or scenes.test.1.")
        first, *others = found[1].split("+")
        dataset, split = first.split(".")
        return Gallery.of(dataset, (split, *others), int(found[2]) if found[2] else None)

    @property
    def dataset(self) -> str:
        """The dataset that asks."""
        return self.places[0][0]

    @property
    def splits(self) -> tuple[str, ...]:
        """The dataset's own splits by their names, others' as ``dataset.split``."""
        return tuple(split if dataset == self.dataset else f"{dataset}.{split}" for dataset, split in self.places)

    def __str__(self) -> str:
        first = f".{self.captions_per_image}" if self.captions_per_image else ""
        return f"{self.dataset}.{'+'.join(self.splits)}{first}"
