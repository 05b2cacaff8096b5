"""Where pictures, captions and regions come from."""

from typing import TYPE_CHECKING, Annotated, Literal, Union

from pydantic import Field, field_validator, model_validator

from reranksmart.datasets import Dataset, kinds, terms
from reranksmart.values.settings import Count, Frozen, Name, OwnPath

if TYPE_CHECKING:
    AnyDataset = Dataset
else:
    AnyDataset = Annotated[Union[tuple(kinds().values())], Field(discriminator="kind")]  # noqa: UP007 - found, not named


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
    weights: OwnPath | None = Field(
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
    def _weights_named(self) -> "RegionFeatures":
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
    sources: OwnPath | None = Field(None, description="a table of your own mirrors in the form of datasets/sources.csv")
    accept: tuple[Name, ...] = Field(
        (), description="terms that you have read and accept: non-commercial research, Flickr's terms of use"
    )
    attempts: Count = Field(5, description="of a mirror in a row that bring nothing new")
    timeout_s: float = Field(60.0, gt=0, description="longest silence of a server")
    wait_s: float = Field(2.0, ge=0, description="before the second attempt; it doubles")

    @field_validator("accept")
    @classmethod
    def _terms_exist(cls, accept: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(accept) - set(terms())):
            raise ValueError(f"terms {unknown} are unknown; there are {list(terms())}. Name those that you accept.")
        return accept
