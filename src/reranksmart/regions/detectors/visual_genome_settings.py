"""Sizes and thresholds of the Visual Genome detector, read from the ``config.yaml`` beside its published weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

BLOCKS = {50: (3, 4, 6), 101: (3, 4, 23), 152: (3, 8, 36)}
"""Residual blocks of the second to fourth stage, by depth of the ResNet; the fifth, of three, sees the regions."""


@dataclass(frozen=True)
class VisualGenomeSettings:
    """The detector's shape; the defaults are those of Anderson et al. 2018 (ResNet-101 C4). Sides are in pixels."""

    depth: int = 101
    stem_channels: int = 64
    stage_channels: int = 256  # of the second stage; each later one has twice as many
    bottleneck_channels: int = 64
    stride_in_1x1: bool = True
    ceil_pool: bool = True  # as Caffe pools: no padding, the size rounded up
    halved_res5: bool = False  # False: stride 1, 3 x 3 convolutions dilated by 2
    anchor_sizes: tuple[float, ...] = (64, 128, 256, 512)
    anchor_ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    anchor_offset: float = 0.0
    proposal_channels: int = 512
    proposal_weights: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)
    proposal_overlap: float = 0.7
    proposals_before: int = 6000  # likeliest anchors before suppression
    proposals_after: int = 300
    least_side: float = 0.0
    objects: int = 1600
    attributes: int = 400
    class_agnostic: bool = False
    box_weights: tuple[float, ...] = (10.0, 10.0, 5.0, 5.0)
    pooled_side: int = 14
    pixel_mean: tuple[float, ...] = (102.9801, 115.9465, 122.7717)
    pixel_std: tuple[float, ...] = (1.0, 1.0, 1.0)
    channel_order: Literal["BGR", "RGB"] = "BGR"
    short_side: int = 600
    long_side: int = 1000

    @property
    def feature_size(self) -> int:
        """Width of a region's feature: 2048 as published."""
        return 8 * self.stage_channels

    @property
    def anchors_per_cell(self) -> int:
        return len(self.anchor_sizes) * len(self.anchor_ratios)


# our field: path in the published file, whose keys are of any case
_PLACES = {
    "depth": "resnets.depth",
    "stem_channels": "resnets.stem_out_channels",
    "stage_channels": "resnets.res2_out_channels",
    "stride_in_1x1": "resnets.stride_in_1x1",
    "ceil_pool": "model.max_pool",
    "halved_res5": "roi_box_head.res5halve",
    "anchor_offset": "anchor_generator.offset",
    "proposal_weights": "rpn.bbox_reg_weights",
    "proposal_overlap": "rpn.nms_thresh",
    "proposals_before": "rpn.pre_nms_topk_test",
    "proposals_after": "rpn.post_nms_topk_test",
    "least_side": "proposal_generator.min_size",
    "objects": "roi_heads.num_classes",
    "attributes": "roi_box_head.num_attrs",
    "class_agnostic": "roi_box_head.cls_agnostic_bbox_reg",
    "box_weights": "roi_box_head.bbox_reg_weights",
    "pooled_side": "roi_box_head.pooler_resolution",
    "pixel_mean": "model.pixel_mean",
    "pixel_std": "model.pixel_std",
    "channel_order": "input.format",
    "short_side": "input.min_size_test",
    "long_side": "input.max_size_test",
}


def read_detector_settings(path: Path) -> VisualGenomeSettings:
    """The settings in a published ``config.yaml``; every one that shapes the result must be there.

    The published code reads ``input.format: BGR`` and feeds RGB (and the reverse); here the word means what it says,
    as the weights were trained. Raises FileNotFoundError, or ValueError naming what is missing or not supported.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; it is published beside pytorch_model.bin. Put it there.")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no YAML ({error}); restore it from where the weights came from.") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds a {type(content).__name__}, not keys; restore it from its source.")
    tree = _lowered(content)
    values: dict[str, Any] = {field: _at(tree, place, path) for field, place in _PLACES.items()}
    groups, width = _at(tree, "resnets.num_groups", path), _at(tree, "resnets.width_per_group", path)
    channels = _at(tree, "proposal_generator.hidden_channels", path)
    values |= {
        "bottleneck_channels": groups * width,
        "anchor_sizes": _only(_at(tree, "anchor_generator.sizes", path), "anchor_generator.sizes", path),
        "anchor_ratios": _only(_at(tree, "anchor_generator.aspect_ratios", path), "aspect_ratios", path),
        "proposal_channels": 4 * values["stage_channels"] if channels == -1 else channels,
    }
    supported = {
        "resnets.num_groups": 1,
        "resnets.norm": "BN",
        "resnets.res5_dilation": 1,
        "roi_box_head.attr": True,
    }
    for place, only in supported.items():
        if _at(tree, place, path) != only:
            raise ValueError(f"{path}: {place} is {_at(tree, place, path)!r}; only {only!r} is supported.")
    if values["depth"] not in BLOCKS or values["channel_order"] not in ("BGR", "RGB"):
        raise ValueError(
            f"{path}: resnets.depth is {values['depth']!r} and input.format {values['channel_order']!r}; "
            f"allowed are {list(BLOCKS)} and BGR or RGB."
        )
    frozen: dict[str, Any] = {
        field: tuple(value) if isinstance(value, list) else value for field, value in values.items()
    }
    return VisualGenomeSettings(**frozen)


def read_class_names(folder: Path, stem: str, count: int) -> tuple[str, ...]:
    """The first name of each line of ``<stem>_vocab.txt`` or ``<stem>.txt``; ValueError unless there are ``count``."""
    files = [folder / f"{stem}_vocab.txt", folder / f"{stem}.txt"]
    found = next((file for file in files if file.is_file()), None)
    if found is None:
        raise FileNotFoundError(
            f"{folder} has neither {files[0].name} nor {files[1].name}, the names of the {count} {stem}; "
            "they are published beside the detector's code. Put one there."
        )
    names = tuple(line.split(",")[0].lower().strip() for line in found.read_text(encoding="utf-8").splitlines())
    if len(names) != count:
        raise ValueError(
            f"{found} has {len(names)} lines; the weights know {count} {stem}. Take the file of these weights."
        )
    return names


def _lowered(tree: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key).lower(): _lowered(value) if isinstance(value, dict) else value for key, value in tree.items()}


def _at(tree: Mapping[str, Any], place: str, path: Path) -> Any:
    value: Any = tree
    for key in place.split("."):
        if not isinstance(value, dict) or key not in value:
            raise ValueError(f"{path} lacks the key {place}; restore the file from where the weights came from.")
        value = value[key]
    return value


def _only(levels: Any, place: str, path: Path) -> tuple[float, ...]:
    if not isinstance(levels, list) or len(levels) != 1 or not isinstance(levels[0], list):
        raise ValueError(f"{path}: {place} is {levels!r}; it must be one list in a list, for the one feature map.")
    return tuple(levels[0])
