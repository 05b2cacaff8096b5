"""The settings that published datasets share: where their files are, and which of their splits are used."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from reranksmart.datasets import Dataset
from reranksmart.datasets.prepared.layout import Prepared
from reranksmart.datasets.published.captions import first_images
from reranksmart.datasets.published.photographs import prepare_published_split
from reranksmart.regions.settings import RegionFiles
from reranksmart.values.records import Captions
from reranksmart.values.settings import Count, Frozen, Name, Place


class UsedSplit(Frozen):
    """A split in use."""

    of: str | None = Field(None, description="its name in the publication; null: its key")
    first: Count | None = Field(None, description="only the first n images; null: all")


UsedSplits = Annotated[dict[Name, UsedSplit], Field(description="splits in use, by name")]


class AnnotatedSplit(UsedSplit):
    annotations: Place | None = Field(None, description="a file of this split alone (BLIP's), instead of the dataset's")


class Published(Dataset):
    """A published dataset. Pictures are optional where region features are given."""

    images: tuple[Place, ...] = Field((), description="folders of pictures, searched in this order")
    regions: RegionFiles | None = Field(None, description="null: regions are detected in the pictures")
    splits: dict[Name, Any]

    sizes: ClassVar[Mapping[str, int] | int]
    """The images of each split as published; a number: of a split of any name."""
    each: ClassVar[int] = 5
    """The captions of an image in a language."""

    @property
    def has_pictures(self) -> bool:
        return bool(self.images)

    def read(self, split: str) -> Captions:
        """All captions of a split; ValueError where a file is missing, broken or not of this publication."""
        raise NotImplementedError

    def published_sizes(self) -> Mapping[str, int] | int:
        """``sizes``, where they depend on the settings."""
        return self.sizes

    def published_name(self, split: str) -> str:
        """The name of a split in the publication."""
        return self.splits[split].of or split

    def prepare(self, split: str, folder: Path, *, name: str, stamps: Path | None = None) -> Prepared:
        captions, first = self.read(split), self.splits[split].first
        captions = first_images(captions, first) if first else captions
        return prepare_published_split(folder, captions, [Path(place) for place in self.images])

    def image_count(self, split: str) -> int:
        sizes = self.published_sizes()
        count = sizes if isinstance(sizes, int) else sizes[self.published_name(split)]
        return min(count, self.splits[split].first or count)

    def captions_each(self, language: str) -> int:
        return self.each

    @model_validator(mode="after")
    def _splits_are_published(self) -> Self:
        known, files = self.published_sizes(), getattr(self, "annotations", None)
        for name, subset in self.splits.items():
            if not isinstance(known, int) and (subset.of or name) not in known:
                raise ValueError(
                    f"split {name!r} is {subset.of or name!r} of the publication, which has {list(known)}; name one of "
                    "these by `of`"
                )
        annotated = {name: own for name, own in self.splits.items() if isinstance(own, AnnotatedSplit)}
        if lacking := [name for name, own in annotated.items() if not (files or own.annotations)]:
            raise ValueError(f"splits {lacking} have no annotations; give the dataset's or their own")
        return self


class PublishedInEnglish(Published):
    @property
    def languages(self) -> tuple[str, ...]:
        return ("en",)
