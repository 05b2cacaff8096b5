"""The bottom-up-attention detector: a Faster R-CNN on ResNet-101 C4, of torchvision's parts."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.resnet import Bottleneck
from torchvision.ops import clip_boxes_to_image, nms, roi_pool

from reranksmart.regions.detectors.visual_genome_backbone import ResNetBackbone, resnet_stage
from reranksmart.regions.detectors.visual_genome_settings import VisualGenomeSettings

STRIDE = 16
"""Pixels of the resized picture for each cell of the feature map."""
_PROPOSALS_AT_ONCE = 64  # a pooled region has 0.8 MB, the fifth stage makes 1.6 MB of it several times


@dataclass(frozen=True)
class Candidates:
    """What the heads say of P proposals, likeliest object first; all boxes are x1 y1 x2 y2 in resized pixels.

    ``proposals`` (P, 4): where ``features`` (P, F) were pooled. ``boxes`` (P, C, 4): moved, for each of C objects and
    inside the picture. ``objects`` (P, C): probabilities, of which the background has the rest. ``attributes`` (P, A):
    probabilities given the likeliest object.
    """

    proposals: Tensor
    boxes: Tensor
    objects: Tensor
    attributes: Tensor
    features: Tensor


class VisualGenomeDetector(nn.Module):
    """Ren et al. 2015 as trained by Anderson et al. 2018 on 1,600 objects and 400 attributes of Visual Genome.

    Regions are pooled by RoIPool, as the weights were trained, not by RoIAlign. Batch norms are frozen.
    """

    def __init__(self, settings: VisualGenomeSettings) -> None:
        super().__init__()
        self.settings = settings
        self.backbone = ResNetBackbone(settings)
        self.proposal_generator = _ProposalGenerator(settings)
        self.roi_heads = _RegionHeads(settings)

    @torch.inference_mode()
    def forward(self, picture: Tensor) -> Candidates:
        """What is proposed in one resized, normalised picture (1, 3, H, W) float32."""
        features = self.backbone(picture)  # (1, 1024, H / 16, W / 16)
        size = _size(picture)
        return self._heads(features, self.proposal_generator(features, size), size)

    @torch.inference_mode()
    def described(self, picture: Tensor, boxes: Tensor) -> Candidates:
        """What is in given boxes (P, 4), in pixels of the resized picture, instead of in proposals."""
        return self._heads(self.backbone(picture), boxes, _size(picture))

    def _heads(self, features: Tensor, boxes: Tensor, size: tuple[int, int]) -> Candidates:
        found: Candidates = self.roi_heads(features, boxes, size)
        return found


def _size(picture: Tensor) -> tuple[int, int]:
    return picture.shape[-2], picture.shape[-1]


class _ProposalGenerator(nn.Module):
    """Where something is: anchors, scored and moved, without those that a likelier one overlaps much."""

    def __init__(self, settings: VisualGenomeSettings) -> None:
        super().__init__()
        self.settings = settings
        channels, anchors = settings.proposal_channels, settings.anchors_per_cell
        self.register_buffer("anchors", _cell_anchors(settings))
        self.conv = nn.Conv2d(4 * settings.stage_channels, channels, kernel_size=3, padding=1)
        self.objectness_logits = nn.Conv2d(channels, anchors, kernel_size=1)
        self.anchor_deltas = nn.Conv2d(channels, 4 * anchors, kernel_size=1)

    def forward(self, features: Tensor, size: tuple[int, int]) -> Tensor:
        """Boxes (P, 4) in pixels inside the picture of ``size`` (height, width), likeliest first."""
        seen = self.conv(features).relu()
        scores = self.objectness_logits(seen)[0].permute(1, 2, 0).flatten()  # (H W A)
        moves = self.anchor_deltas(seen)[0].permute(1, 2, 0).reshape(-1, 4)  # (H W A, 4)
        order = scores.argsort(descending=True)[: self.settings.proposals_before]
        boxes = _moved(moves, self._anchors_everywhere(features), self.settings.proposal_weights)[order]
        boxes, scores = clip_boxes_to_image(boxes, size), scores[order]
        sides = boxes[:, 2:] - boxes[:, :2]
        large = (sides > self.settings.least_side).all(dim=1)
        boxes, scores = boxes[large], scores[large]
        return boxes[nms(boxes, scores, self.settings.proposal_overlap)[: self.settings.proposals_after]]

    def _anchors_everywhere(self, features: Tensor) -> Tensor:
        height, width = features.shape[-2:]
        shift = self.settings.anchor_offset
        y, x = torch.meshgrid(
            (torch.arange(height, device=features.device) + shift) * STRIDE,
            (torch.arange(width, device=features.device) + shift) * STRIDE,
            indexing="ij",
        )
        corners = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4).float()
        everywhere: Tensor = corners + self.get_buffer("anchors")
        return everywhere.reshape(-1, 4)  # (H W A, 4)


def _cell_anchors(settings: VisualGenomeSettings) -> Tensor:
    """Boxes (A, 4) around the origin, sizes first; a ratio is height over width."""
    boxes = []
    for size in settings.anchor_sizes:
        for ratio in settings.anchor_ratios:
            width = size / ratio**0.5
            boxes.append([-width / 2, -width * ratio / 2, width / 2, width * ratio / 2])
    return torch.tensor(boxes)


def _moved(moves: Tensor, boxes: Tensor, weights: tuple[float, ...]) -> Tensor:
    """Boxes (N, K 4) from moves (N, K 4) of boxes (N, 4), as Faster R-CNN predicts them."""
    x, y, width, height = weights
    moved: Tensor = BoxCoder((x, y, width, height)).decode_single(moves, boxes)
    return moved


class _RegionHeads(nn.Module):
    """What a region is: the fifth stage on what RoIPool cuts out, its mean the feature, and linear heads."""

    def __init__(self, settings: VisualGenomeSettings) -> None:
        super().__init__()
        self.settings = settings
        size = settings.feature_size
        self.res5 = resnet_stage(settings, size // 2, size, blocks=3, stride=2 if settings.halved_res5 else 1)
        if not settings.halved_res5:
            for block in self.res5.children():
                assert isinstance(block, Bottleneck)
                block.conv2.padding, block.conv2.dilation = (2, 2), (2, 2)
        self.box_predictor = nn.ModuleDict(
            {
                "cls_score": nn.Linear(size, settings.objects + 1),  # the last is the background
                "bbox_pred": nn.Linear(size, 4 * (1 if settings.class_agnostic else settings.objects)),
                "cls_embedding": nn.Embedding(settings.objects + 1, size // 8),
                "fc_attr": nn.Linear(size + size // 8, size // 4),
                "attr_score": nn.Linear(size // 4, settings.attributes + 1),  # the last is none of them
            }
        )

    def forward(self, features: Tensor, proposals: Tensor, size: tuple[int, int]) -> Candidates:
        pooled = [self._pooled(features, some) for some in proposals.split(_PROPOSALS_AT_ONCE)]
        regions = torch.cat(pooled) if pooled else proposals.new_zeros(0, self.settings.feature_size)  # (P, F)
        heads = self.box_predictor
        logits = heads["cls_score"](regions)
        likeliest = heads["cls_embedding"](logits.argmax(dim=-1))
        seen = heads["fc_attr"](torch.cat([regions, likeliest], dim=-1)).relu()
        attributes = heads["attr_score"](seen)[:, :-1].softmax(dim=-1)
        boxes = _moved(heads["bbox_pred"](regions), proposals, self.settings.box_weights)
        boxes = clip_boxes_to_image(boxes.reshape(len(proposals), boxes.shape[1] // 4, 4), size)
        return Candidates(
            proposals=proposals,
            boxes=boxes.expand(-1, self.settings.objects, -1),
            objects=logits.softmax(dim=-1)[:, :-1],
            attributes=attributes,
            features=regions,
        )

    def _pooled(self, features: Tensor, proposals: Tensor) -> Tensor:
        side = self.settings.pooled_side
        cut = roi_pool(features, [proposals], output_size=side, spatial_scale=1 / STRIDE)  # (P, 1024, 14, 14)
        found: Tensor = self.res5(cut).mean(dim=(2, 3))
        return found
