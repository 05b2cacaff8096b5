"""A Visual Genome detector of reduced size in the published files, with random weights by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from reranksmart.regions.detectors.visual_genome import VisualGenomeDetector
from reranksmart.regions.detectors.visual_genome_files import NamedDetector, load_visual_genome, published_name
from reranksmart.regions.detectors.visual_genome_settings import read_settings

SETTINGS: dict[str, Any] = {
    "model": {"pixel_mean": [102.9801, 115.9465, 122.7717], "pixel_std": [1.0, 1.0, 1.0], "max_pool": True},
    "resnets": {
        "depth": 50,
        "norm": "BN",
        "num_groups": 1,
        "res2_out_channels": 16,
        "res5_dilation": 1,
        "stem_out_channels": 8,
        "stride_in_1x1": True,
        "width_per_group": 4,
    },
    "anchor_generator": {"sizes": [[16, 32, 64, 128]], "aspect_ratios": [[0.5, 1.0, 2.0]], "offset": 0.0},
    "rpn": {
        "bbox_reg_weights": [1.0, 1.0, 1.0, 1.0],
        "nms_thresh": 0.7,
        "pre_nms_topk_test": 200,
        "post_nms_topk_test": 40,
    },
    "proposal_generator": {"hidden_channels": 16, "min_size": 0},
    "roi_heads": {"num_classes": 12},
    "roi_box_head": {
        "attr": True,
        "bbox_reg_weights": [10.0, 10.0, 5.0, 5.0],
        "cls_agnostic_bbox_reg": False,
        "num_attrs": 7,
        "pooler_resolution": 6,
        "res5halve": False,
    },
    "input": {"format": "BGR", "min_size_test": 96, "max_size_test": 160},
}


_SCALES = {"stem": 0.02, "bbox_pred": 0.03, "anchor_deltas": 0.5, "cls_score": 0.4}


def write_detector(folder: Path) -> Path:
    """The published files of a detector whose weights are drawn name by name, so that activations stay near one."""
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(SETTINGS))
    (folder / "objects_vocab.txt").write_text("".join(f"Thing {n},synonym {n}\n" for n in range(12)))
    (folder / "attributes_vocab.txt").write_text("".join(f"quality {n}\n" for n in range(7)))
    detector = VisualGenomeDetector(read_settings(folder / "config.yaml"))
    tensors = {published_name(name): value for name, value in detector.state_dict().items()}
    counters = [name.replace("running_var", "num_batches_tracked") for name in tensors if name.endswith("running_var")]
    rng = np.random.RandomState(0)
    for name in sorted([*tensors, *counters]):
        if name in counters:
            tensors[name] = torch.tensor(0)
        elif "cell_anchors" not in name:
            tensors[name] = torch.from_numpy(_drawn(rng, name, tuple(tensors[name].shape)))
    torch.save(tensors, folder / "pytorch_model.bin")
    return folder


def _drawn(rng: np.random.RandomState, name: str, shape: tuple[int, ...]) -> np.ndarray:
    values = rng.standard_normal(shape)
    if name.endswith("running_var"):
        values = np.abs(values) * 0.2 + 0.9
    elif name.endswith("norm.weight"):
        values = values * 0.1 + (0.5 if "conv3" in name else 1)
    elif name.endswith(("running_mean", "bias")):
        values = values * 0.1
    elif "cls_embedding" not in name:
        values = values * (2.0 / np.prod(shape[1:])) ** 0.5
        for part, scale in _SCALES.items():
            values = values * scale if part in name else values
    return values.astype(np.float32)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_detector(tmp_path_factory.mktemp("weights") / "frcnn-vg-finetuned")


@pytest.fixture(scope="session")
def loaded(folder: Path) -> NamedDetector:
    torch.set_num_threads(1)
    return load_visual_genome(folder)


@pytest.fixture(scope="session")
def picture() -> np.ndarray:
    """(112, 152, 3) uint8."""
    return np.random.RandomState(3).randint(0, 256, (28, 38, 3)).astype(np.uint8).repeat(4, axis=0).repeat(4, axis=1)
