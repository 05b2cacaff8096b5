"""The name of a gallery, as it stands in paths: ``scenes.test``, ``scenes.test+distractors``, ``scenes.test.1``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gallery:
    """A gallery's name taken apart: the captions and images of the first split ask, those of all answer."""

    dataset: str
    splits: tuple[str, ...]
    captions_per_image: int | None

    @staticmethod
    def parse(name: str) -> Gallery:
        dataset, splits, *first = name.split(".")
        return Gallery(dataset, tuple(splits.split("+")), int(first[0]) if first else None)
