"""Where pictures, captions and regions come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from reranksmart.config.published import Coco, ConceptualCaptions, Flickr30k, Multi30k, RegionFiles, XFlickrCO
from reranksmart.values.settings import Count, Frozen, Language, Name, Seed


class Scenes(Frozen):
    """Composed photographs with captions that are true by construction."""

    kind: Literal["scenes"]
    seed: Seed = Field(1, description="seed of stamps held out, scenes and captions")
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
    """Where an image's regions come from, if not from published files."""

    maximum: int = Field(12, ge=1, le=100, description="regions kept of an image")
    shards: Count = Field(
        2, description="jobs that share one split's images; with another number they are detected anew"
    )
    detector: Literal["selective_search", "vg", "coco"] = Field(
        "selective_search",
        description="selective_search: boxes without training, features of EfficientNet-Lite0 (1280); vg: the Visual "
        "Genome Faster R-CNN of bottom-up attention (2048); coco: torchvision's Faster R-CNN (1024)",
    )
    weights: str | None = Field(
        None, description="vg: folder of frcnn-vg-finetuned; coco: file of weights, or null for torch hub's cache"
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="of vg and coco; auto: a GPU where there is one")
    python: str = Field(
        "python", description="Python that has torchvision, for vg and coco without conda: .venv-detector/bin/python"
    )
    minimum: int = Field(10, ge=1, le=100, description="vg: regions kept of an image at least, however unsure")
    confidence: float = Field(0.2, ge=0, le=1, description="vg: least probability of a region's class")
    suppression: Literal["class_wise", "best_class"] = Field(
        "class_wise",
        description="vg: class_wise as Anderson et al. 2018 chose regions (the paper's features), best_class as the "
        "PyTorch port of LXMERT does",
    )

    @model_validator(mode="after")
    def _weights_named(self) -> RegionFeatures:
        if self.detector == "vg" and self.weights is None:
            raise ValueError(
                "detector is vg, but weights is null; it must name the folder with pytorch_model.bin, config.yaml, "
                "objects_vocab.txt and attributes_vocab.txt of frcnn-vg-finetuned. Download it and set regions.weights."
            )
        if self.detector == "vg" and self.minimum > self.maximum:
            raise ValueError(f"minimum is {self.minimum}, more than maximum {self.maximum}; lower it, or raise maximum")
        if self.detector == "selective_search":
            given = {"weights", "device", "python", "minimum", "confidence", "suppression"} & self.model_fields_set
            if given:
                raise ValueError(
                    f"detector is selective_search, which has no {sorted(given)}; leave them out, or set detector to "
                    "vg or coco."
                )
        return self


class Downloads(Frozen):
    """Published files that are fetched: they outlive the jobs that fetch them."""

    folder: str = Field("downloads", description="where they lie; a file got by hand is put there and used")
    sources: str | None = Field(None, description="a table of your own mirrors in the form of datasets/sources.csv")
    accept: tuple[Literal["flickr30k", "multi30k"], ...] = Field(
        (), description="terms that you have read and accept: non-commercial research, Flickr's terms of use"
    )
    attempts: Count = Field(5, description="of a mirror in a row that bring nothing new")
    timeout_s: float = Field(60.0, gt=0, description="longest silence of a server")
    wait_s: float = Field(2.0, ge=0, description="before the second attempt; it doubles")
