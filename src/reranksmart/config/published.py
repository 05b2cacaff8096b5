"""Published datasets: where their files are, and which of their splits, captions and languages are used."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from reranksmart.values.settings import Count, Frozen, Language, Name

Place = Annotated[
    str,
    Field(
        min_length=1,
        description="a path; or source:FILE of datasets/sources.csv, which is fetched (source:FOLDER: all files below it; "
        "source:FILE.zip#INSIDE: a folder or file of an archive, which is unpacked)",
    ),
]


class RegionFiles(Frozen):
    """Region features that somebody else made, read instead of detecting regions in pictures."""

    format: Literal["oscar", "bottom_up_tsv", "lxmert_tsv", "vinvl", "npz", "pt", "npy", "volta"]
    paths: tuple[Place, ...] = Field((), description="files or folders of every split, read as one")
    split_paths: dict[Name, tuple[Place, ...]] = Field({}, description="those of a split, instead of `paths`")
    labels: Place | None = Field(
        None, description="vinvl: the label file of the same images; else the names of the classes, one a line"
    )
    tags: dict[Name, Place] = Field(
        {},
        description="the file of object tags of a split, by OSCAR's form: {split}_vg_labels.pt of COCO, {split}_vg_tags.pt "
        "of Flickr30k; without it the names of the regions' classes are the tags",
    )
    feature_size: Count = Field(2048, description="columns of a feature")

    def paths_of(self, split: str) -> tuple[str, ...]:
        return self.split_paths.get(split, self.paths)


class Subset(Frozen):
    """A split in use; the name it has in the publication is its key unless `of` says another."""

    of: str | None = None
    first: Count | None = Field(None, description="only the first n images; null: all")


class CocoSubset(Subset):
    annotations: Place | None = Field(None, description="a file of this split alone (BLIP's), instead of the dataset's")
    image_list: Place | None = Field(
        None, description="only its images (test_img_keys_1k.tsv: the published code's 1k)"
    )
    fold: int | None = Field(None, ge=1, le=5, description="one of the field's five folds of 1,000 test images")


class Flickr30kSubset(Subset):
    annotations: Place | None = Field(None, description="a file of this split alone (BLIP's), instead of the dataset's")


class TableSubset(Subset):
    captions: Place


class Published(Frozen):
    """What published datasets have in common. Pictures are optional where region features are given."""

    images: tuple[Place, ...] = Field((), description="folders of pictures, searched in this order")
    regions: RegionFiles | None = Field(None, description="null: regions are detected in the pictures")


class Coco(Published):
    kind: Literal["coco"]
    layout: Literal["karpathy", "oscar"] = Field(
        "karpathy", description="annotations are Karpathy's dataset_coco.json; or OSCAR's folder coco_ir"
    )
    annotations: Place | None = None
    captions_per_image: Count | None = Field(5, description="of 5 to 7; null: all (25,010 of test), as published code")
    splits: dict[Name, CocoSubset]

    @property
    def languages(self) -> tuple[str, ...]:
        return ("en",)

    def numbers_captions(self, split: str) -> bool:
        """Whether a split is of the published test images, read from a file that gives COCO's number of each caption."""
        subset = self.splits.get(split, CocoSubset())
        return self.layout == "karpathy" and subset.annotations is None and (subset.of or split) == "test"

    @model_validator(mode="after")
    def _splits_exist(self) -> Coco:
        _require_published(self.splits, ("train", "dev", "test"))
        _require_annotations(self.annotations, self.splits)
        return self


class Flickr30k(Published):
    """Its two divisions share images across splits: a model of one is not to be tested on the other."""

    kind: Literal["flickr30k"]
    division: Literal["karpathy", "entities"] = Field("karpathy", description="the field's; or the published code's")
    annotations: Place | None = Field(
        None, description="karpathy: dataset_flickr30k.json; entities: the folder of train.txt, val.txt and test.txt"
    )
    sentences: Place | None = Field(None, description="entities: the folder of sentences; null: annotations/Sentences")
    captions_per_image: Count | None = Field(5, description="null: all")
    splits: dict[Name, Flickr30kSubset]

    @property
    def languages(self) -> tuple[str, ...]:
        return ("en",)

    @model_validator(mode="after")
    def _splits_exist(self) -> Flickr30k:
        _require_published(self.splits, ("train", "dev", "test"))
        _require_annotations(self.annotations, self.splits)
        return self


class Multi30k(Published):
    kind: Literal["multi30k"]
    annotations: Place = Field(description="the folder that holds task1 and task2")
    tasks: dict[Literal["en", "de", "fr", "cs"], Literal[1, 2]] = Field(
        {"en": 2, "de": 2, "fr": 1, "cs": 1},
        description="captions of each language: 1, translations, one an image; 2, independent, five an image",
    )
    splits: dict[Name, Subset]

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.tasks)

    @model_validator(mode="after")
    def _splits_exist(self) -> Multi30k:
        known = ("train", "dev", "test_2016", "test_2017", "test_2017_mscoco", "test_2018")
        _require_published(self.splits, known)
        if not self.tasks:
            raise ValueError("tasks is empty; name a language with its task, as {en: 2}")
        return self


class ConceptualCaptions(Published):
    """One caption an image."""

    kind: Literal["conceptual_captions"]
    layout: Literal["table", "rows"] = Field(
        "table", description="columns caption and image_id, as published code; or Google's rows of caption and URL"
    )
    splits: dict[Name, TableSubset]

    @property
    def languages(self) -> tuple[str, ...]:
        return ("en",)


class XFlickrCO(Published):
    kind: Literal["xflickrco"]
    annotations: Place = Field(description="the folder that holds annotations/{language}/{split}.jsonl")
    languages: tuple[Language, ...] = ("en", "de", "es", "id", "ja", "ru", "tr", "zh")
    splits: dict[Name, Subset]


def _require_published(splits: Mapping[str, Subset], known: Collection[str]) -> None:
    for name, subset in splits.items():
        if (subset.of or name) not in known:
            raise ValueError(
                f"split {name!r} is {subset.of or name!r} of the publication, which has {list(known)}; name one of "
                "these by `of`"
            )


def _require_annotations(annotations: str | None, splits: dict[str, CocoSubset] | dict[str, Flickr30kSubset]) -> None:
    lacking = [name for name, subset in splits.items() if not (annotations or subset.annotations)]
    if lacking:
        raise ValueError(f"splits {lacking} have no annotations; give the dataset's or their own")
