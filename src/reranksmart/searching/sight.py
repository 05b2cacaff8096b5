"""How a model sees pictures: by a detector's regions, a checkpoint's pixels, or the states of its own vision tower."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from PIL import Image
from torch import nn

from reranksmart.files.photographs import read_photograph
from reranksmart.files.picture_store import PictureStore
from reranksmart.files.region_store import RegionStore
from reranksmart.files.vision_store import VisionStore
from reranksmart.inputs.images import PixelInputs
from reranksmart.inputs.processors import PictureProcessor
from reranksmart.models.interface import StatesEncoder
from reranksmart.models.single_stream import SingleStream
from reranksmart.ranking.vision_encoding import states_in_memory
from reranksmart.regions.detectors.detection import detect_regions
from reranksmart.regions.detectors.efficientnet import load_efficientnet

_FEATURE_SIZES = ("visual_embedding_dim", "visual_feat_dim")
"""Names that transformers gives the width of a region's features, in VisualBERT and in LXMERT."""
Pictures = Sequence[tuple[str, Path]]
"""Id and file of each picture."""
Seen = RegionStore | VisionStore | PictureStore
"""What a model reads of pictures."""


class Sight:
    """How a model sees pictures: ``reads`` says what it reads of them, in one word."""

    reads: ClassVar[str]

    def look(self, pictures: Pictures) -> Seen:
        """What the model reads of these pictures."""
        raise NotImplementedError

    def require_fit(self, seen: Seen) -> None:
        """ValueError where this is not what the model reads."""
        found = seen.kind if isinstance(seen, VisionStore | PictureStore) else "regions"
        if found != self.reads:
            raise ValueError(f"the model reads {self.reads} of pictures, these are {found}; make them with this model.")


@dataclass(frozen=True)
class RegionSight(Sight):
    """Of models that read regions of one size, both roles alike."""

    max_regions: int
    feature_size: int

    @cached_property
    def _network(self) -> nn.Module:
        return load_efficientnet()

    def look(self, pictures: Pictures) -> RegionStore:
        seen = detect_regions(pictures, at_most=self.max_regions, network=self._network)
        self.require_fit(seen)
        return seen

    def require_fit(self, seen: Seen) -> None:
        found = seen.feature_size if isinstance(seen, RegionStore) else type(seen).__name__
        if found != self.feature_size:
            raise ValueError(
                f"the model reads region features of {self.feature_size} values, these pictures' have {found}; they come "
                "of another detector. Use regions of the detector that the model was trained with."
            )


@dataclass(frozen=True)
class PixelSight(Sight):
    """Of a model that reads pictures as its checkpoint's own processor gives them."""

    reads = "pixels"

    processor: PictureProcessor

    def look(self, pictures: Pictures) -> VisionStore:
        batches = [self.processor([Image.fromarray(read_photograph(path))]) for _, path in pictures]
        rows, grids = [batch.patches[0].numpy() for batch in batches], [batch.grids[0].tolist() for batch in batches]
        return VisionStore.of("pixels", [image_id for image_id, _ in pictures], rows, grids)


@dataclass(frozen=True)
class StateSight(Sight):
    """Of a model whose vision tower's states are kept of each picture."""

    reads = "states"

    pixels: PixelSight
    model: StatesEncoder

    def look(self, pictures: Pictures) -> VisionStore:
        return states_in_memory(self.model, PixelInputs(self.pixels.look(pictures))).store


@dataclass(frozen=True)
class PictureSight(Sight):
    """Of a model whose library reads the files of pictures."""

    reads = "pictures"

    def look(self, pictures: Pictures) -> PictureStore:
        return PictureStore(tuple(image_id for image_id, _ in pictures), tuple(path for _, path in pictures))


def sight_of(model: Any, folder: Path, *, max_regions: int) -> Sight:
    """How the model in ``folder`` sees pictures."""
    if isinstance(model, SingleStream):
        return RegionSight(max_regions, model.config.feature_size)
    if model.facts.sees == "pictures":
        return PictureSight()
    if not model.facts.reads_pixels:
        sizes = model.network.config.to_dict()
        return RegionSight(max_regions, next(sizes[key] for key in _FEATURE_SIZES if key in sizes))
    pixels = PixelSight(PictureProcessor.open(folder, patch=model.patch))
    return StateSight(pixels, model) if isinstance(model, StatesEncoder) else pixels
