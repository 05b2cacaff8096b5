"""Where pictures, captions and regions come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from reranksmart.config.published import Coco, ConceptualCaptions, Flickr30k, Multi30k, RegionFiles, XFlickrCO
from reranksmart.config.values import Count, Frozen, Language, Name


class Scenes(Frozen):
    """Composed photographs with captions that are true by construction."""

    kind: Literal["scenes"]
    seed: int = Field(1, description="seed of stamps held out, scenes and captions")
    languages: tuple[Literal["en", "de", "fr", "cs"], ...] = ("en", "de", "fr", "cs")
    stamps: str | None = Field(None, description="path of the stamps' archive or folder; null fetches it")
    splits: dict[Name, Count] = Field(description="number of images of each split")


class FileSplit(Frozen):
    captions: str | None = Field(
        None, description="JSON Lines or CSV file: text, image (path below `images`), id, language; null: no captions"
    )
    images: str = Field(description="folder of pictures, at any depth")


class Files(Frozen):
    """Your own pictures, with captions or without."""

    kind: Literal["files"]
    languages: tuple[Language, ...] = ("en",)
    regions: RegionFiles | None = Field(None, description="null: regions are detected in the pictures")
    splits: dict[Name, FileSplit]


PublishedDataset = Coco | Flickr30k | Multi30k | ConceptualCaptions | XFlickrCO
Dataset = Annotated[
    Scenes | Files | Coco | Flickr30k | Multi30k | ConceptualCaptions | XFlickrCO, Field(discriminator="kind")
]


class RegionFeatures(Frozen):
    maximum: int = Field(12, ge=1, le=100, description="regions kept of an image")
    shards: Count = Field(2, description="jobs that share one split's images")


class Downloads(Frozen):
    """Published files that are fetched: they outlive the jobs that fetch them."""

    folder: str = Field("downloads", description="where they lie; a file got by hand is put there and used")
    sources: str | None = Field(None, description="a table of your own mirrors in the form of data/sources.csv")
    accept: tuple[Literal["flickr30k", "multi30k"], ...] = Field(
        (), description="terms that you have read and accept: non-commercial research, Flickr's terms of use"
    )
    attempts: Count = Field(5, description="of a mirror in a row that bring nothing new")
    timeout_s: float = Field(60.0, gt=0, description="longest silence of a server")
    wait_s: float = Field(2.0, ge=0, description="before the second attempt; it doubles")
