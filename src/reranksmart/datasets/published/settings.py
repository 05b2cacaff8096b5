"""The settings that published datasets share: where their files are, and which of their splits are used."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from reranksmart.datasets import Dataset
from reranksmart.datasets.prepared.layout import Prepared
from reranksmart.datasets.published.captions import first_images
from reranksmart.datasets.published.photographs import prepare_published_split
from reranksmart.regions.settings import RegionFiles
from reranksmart.values.records import Captions
from reranksmart.values.settings import Count, Frozen, Name, Place


class Subset(Frozen):
    """A split in use; the name it has in the publication is its key unless `of` says another."""

    of: str | None = None
    first: Count | None = Field(None, description="only the first n images; null: all")


class AnnotatedSubset(Subset):
    annotations: Place | None = Field(None, description="a file of this split alone (BLIP's), instead of the dataset's")


class Published(Dataset):
    """A published dataset. Pictures are optional where region features are given."""

    images: tuple[Place, ...] = Field((), description="folders of pictures, searched in this order")
    regions: RegionFiles | None = Field(None, description="null: regions are detected in the pictures")
    splits: dict[Name, Any]

    @property
    def has_pictures(self) -> bool:
        return bool(self.images)

    def read(self, split: str) -> Captions:
        """All captions of a split; ValueError where a file is missing, broken or not of this publication."""
        raise NotImplementedError

    def size(self, split: str) -> int:
        """The images of a split as published."""
        raise NotImplementedError

    def published_name(self, split: str) -> str:
        """The name of a split in the publication."""
        return self.splits[split].of or split

    def prepare(self, split: str, folder: Path, *, name: str, stamps: Path | None = None) -> Prepared:
        captions, first = self.read(split), self.splits[split].first
        captions = first_images(captions, first) if first else captions
        return prepare_published_split(folder, captions, [Path(place) for place in self.images])

    def image_count(self, split: str) -> int:
        count = self.size(split)
        return min(count, self.splits[split].first or count)


def require_published(splits: Mapping[str, Subset], known: Collection[str]) -> None:
    """ValueError where a split is none of the publication's."""
    for name, subset in splits.items():
        if (subset.of or name) not in known:
            raise ValueError(
                f"split {name!r} is {subset.of or name!r} of the publication, which has {list(known)}; name one of "
                "these by `of`"
            )


def require_annotations(annotations: str | None, splits: Mapping[str, AnnotatedSubset]) -> None:
    """ValueError where a split has neither the dataset's annotations nor its own."""
    if lacking := [name for name, subset in splits.items() if not (annotations or subset.annotations)]:
        raise ValueError(f"splits {lacking} have no annotations; give the dataset's or their own")
