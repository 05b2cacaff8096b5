"""Photographs -> regions with a trained detector, one picture at a time, on a GPU where there is one."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from reranksmart.files.photographs import read_photograph
from reranksmart.files.region_store import Regions
from reranksmart.regions.detectors.selection import by_best_class, by_class
from reranksmart.regions.detectors.visual_genome_files import NamedDetector
from reranksmart.regions.detectors.visual_genome_settings import VisualGenomeSettings
from reranksmart.run.progress import progress


class Detector(Protocol):
    """Regions of a picture (H, W, 3) uint8, red, green, blue; their labels index ``label_names``."""

    label_names: tuple[str, ...]

    def detect(self, picture: NDArray[np.uint8]) -> Regions: ...


def detect_all(images: Sequence[tuple[str, Path]], detector: Detector) -> Iterator[tuple[str, Regions]]:
    """The id and the regions of each (image id, path), most confident first. Raises as ``read_photograph`` does."""
    if not images:
        raise ValueError("a shard of regions needs at least one image; make fewer shards than there are images.")
    for image_id, path in progress(images, what="regions", total=len(images)):
        yield image_id, detector.detect(read_photograph(path))


def chosen_device(wanted: str) -> torch.device:
    """``auto``: the GPU if torch sees one, else the CPU. ValueError where a GPU is asked for and there is none."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ValueError("regions.device is cuda, but torch sees no GPU here; say auto or cpu, or run where one is.")
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


class VisualGenome:
    """The bottom-up-attention detector; features are the 2048 means of its fifth stage, labels its objects.

    ``least`` to ``most`` regions by confidence; ``class_wise`` as Anderson et al. 2018 chose them, else as the
    published PyTorch port does.
    """

    def __init__(
        self,
        loaded: NamedDetector,
        *,
        device: torch.device,
        least: int = 10,
        most: int = 100,
        confidence: float = 0.2,
        class_wise: bool = True,
    ) -> None:
        self.network = loaded.detector.to(device)
        self.label_names = loaded.objects
        self.device = device
        self.least, self.most, self.confidence, self.class_wise = min(least, most), most, confidence, class_wise

    @torch.inference_mode()
    def detect(self, picture: NDArray[np.uint8]) -> Regions:
        """The regions; the whole picture if the network proposes nothing."""
        resized = prepared(picture, self.network.settings).to(self.device)
        candidates = self.network(resized)
        height, width = resized.shape[-2:]
        if not len(candidates.proposals):
            whole = torch.tensor([[0.0, 0.0, width, height]], device=self.device)
            candidates = self.network.described(resized, whole)
        if self.class_wise:
            found = by_class(candidates, least=self.least, most=self.most, confidence=self.confidence)
        else:
            found = by_best_class(candidates, most=self.most)
        sides = torch.tensor([width, height, width, height], device=self.device)
        return found_regions(
            boxes=found.boxes / sides,
            features=candidates.features[found.rows],
            labels=found.labels,
            confidences=found.confidences,
        )


def found_regions(*, boxes: Tensor, features: Tensor, labels: Tensor, confidences: Tensor) -> Regions:
    """What a network found as arrays; boxes in [0, 1]."""
    return Regions(
        features=features.cpu().numpy().astype(np.float16),
        boxes=boxes.clamp(0, 1).cpu().numpy().astype(np.float32),
        labels=labels.cpu().numpy().astype(np.int32),
        confidences=confidences.cpu().numpy().astype(np.float32),
    )


def prepared(picture: NDArray[np.uint8], settings: VisualGenomeSettings) -> Tensor:
    """The picture (H, W, 3) as the network reads it: (1, 3, h, w) float32, resized, its channels in their order.

    The short side becomes ``short_side`` pixels, unless the long one would pass ``long_side``.
    """
    height, width = picture.shape[:2]
    scale = settings.short_side / min(height, width)
    scale = min(scale, settings.long_side / max(height, width))
    size = (max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5)))
    ordered = picture[:, :, ::-1] if settings.channel_order == "BGR" else picture
    pixels = torch.from_numpy(np.ascontiguousarray(ordered)).permute(2, 0, 1)[None].float()
    resized = functional.interpolate(pixels, size, mode="bilinear", align_corners=False)
    mean, std = (torch.tensor(values).reshape(1, 3, 1, 1) for values in (settings.pixel_mean, settings.pixel_std))
    return (resized - mean) / std
