"""torchvision's Faster R-CNN for the 90 categories of COCO (ResNet-50 with a feature pyramid, version 2)."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.models.detection import FasterRCNN_ResNet50_FPN_V2_Weights, fasterrcnn_resnet50_fpn_v2

from reranksmart.files.region_store import Regions
from reranksmart.files.weights import fill, read_pickled_tensors
from reranksmart.regions.detectors.extraction import found_regions

FEATURE_SIZE = 1024
_WEIGHTS = FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1


def load_coco(path: Path | None) -> torch.nn.Module:
    """The network in evaluation mode; ``path`` None reads torch hub's cache and never the network.

    Raises FileNotFoundError where no file is, and ValueError naming the first tensors that do not fit.
    """
    file = path if path is not None else Path(torch.hub.get_dir()) / "checkpoints" / _WEIGHTS.url.rsplit("/", 1)[1]
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing. Fetch {_WEIGHTS.url} there, or name the file in regions.weights.")
    network: torch.nn.Module = fasterrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None)
    fill(network, read_pickled_tensors(file), source=file)
    return network.eval().requires_grad_(False)


class CocoDetector:
    """torchvision's detections (confidence 0.05 or more, at most 100), with the box head's 1024 features of each.

    Its own pipeline keeps no features: they are pooled again where the final box lies, so that feature and box belong
    together. A picture in which nothing is found has itself as its one region, labelled as background.
    """

    label_names: tuple[str, ...] = tuple(_WEIGHTS.meta["categories"])

    def __init__(self, network: Any, *, device: torch.device, most: int = 100) -> None:
        self.network = network.to(device)
        self.device, self.most = device, most

    @torch.inference_mode()
    def detect(self, picture: NDArray[np.uint8]) -> Regions:
        """The regions, most confident first."""
        own = np.array(picture)  # a copy: Pillow's pixels may not be written, which torch warns of
        pixels = torch.from_numpy(own).permute(2, 0, 1).to(self.device) / 255
        images, _ = self.network.transform([pixels])
        maps = self.network.backbone(images.tensors)
        proposals, _ = self.network.rpn(images, maps)
        found = self.network.roi_heads(maps, proposals, images.image_sizes)[0][0]
        boxes, labels, confidences = (found[name][: self.most] for name in ("boxes", "labels", "scores"))
        height, width = images.image_sizes[0]
        sides = torch.tensor([width, height, width, height], device=self.device, dtype=torch.float32)
        if not len(boxes):
            boxes, labels, confidences = sides.new_zeros(1, 4), labels.new_zeros(1), sides.new_zeros(1)
            boxes[0, 2:] = sides[2:]
        return found_regions(
            boxes=boxes / sides,
            features=self._features(maps, boxes, images.image_sizes),
            labels=labels,
            confidences=confidences,
        )

    def _features(self, maps: dict[str, Tensor], boxes: Tensor, sizes: list[tuple[int, int]]) -> Tensor:
        heads = self.network.roi_heads
        features: Tensor = heads.box_head(heads.box_roi_pool(maps, [boxes], sizes))  # (R, 1024)
        return features
