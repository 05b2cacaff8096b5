"""Where pictures, captions and regions come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from reranksmart.config.values import Count, Frozen, Language, Name


class Scenes(Frozen):
    """Composed photographs with captions that are true by construction."""

    kind: Literal["scenes"]
    seed: int = Field(1, description="seed of stamps held out, scenes and captions")
    languages: tuple[Language, ...] = ("en", "de", "fr", "cs")
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
    splits: dict[Name, FileSplit]


Dataset = Annotated[Scenes | Files, Field(discriminator="kind")]


class RegionFeatures(Frozen):
    maximum: int = Field(12, ge=1, le=100, description="regions kept of an image")
    shards: Count = Field(2, description="jobs that share one split's images")
