"""modern.yaml made small: small checkpoints in the hub's layout, drawn pictures, a few steps; the same experiments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from hub_folders import write_hub_folder
from miniature import THINGS, Photograph, split_photographs, write_karpathy
from PIL import Image, ImageDraw
from running import ROOT

MODERN = "workflow/configs/modern.yaml"
_COLOURS = ("red", "green", "blue", "orange", "purple", "black", "brown", "gold")
_FEATURES = 1280
"""Numbers of a region of EfficientNet-Lite0."""
_WORDS = [f"{first} and {second} ." for first in THINGS for second in THINGS]


def modern_miniature(folder: Path) -> dict[str, Any]:
    """The configuration of modern.yaml, with everything that it reads written below ``folder``."""
    config = yaml.safe_load((ROOT / MODERN).read_text())
    for dataset, pictures in (("coco", "val2014"), ("flickr30k", "flickr30k-images")):
        splits = split_photographs(dataset)
        annotations = write_karpathy(folder / f"dataset_{dataset}.json", splits)
        for images in splits.values():
            for image in images:
                draw_photograph(image, folder / pictures)
        config["datasets"][dataset] |= {"annotations": str(annotations), "images": [str(folder / pictures)]}
    for number, (name, backbone) in enumerate(config["backbones"].items()):
        checkpoint = write_hub_folder(
            backbone["family"], folder / "hub" / name, seed=number, texts=_WORDS, feature_size=_FEATURES
        )
        backbone |= {"checkpoint": str(checkpoint), "local_files_only": True}
        if "tokeniser" in backbone:
            backbone["tokeniser"] = str(checkpoint)
    config["regions"] = {"maximum": 6, "shards": 1}  # the detector without training
    for objective in config["objectives"].values():
        if objective.get("steps"):
            objective |= {"steps": 4, "warmup_steps": 1, "evaluate_every": 2, "dev_images": 4, "dev_pair_images": 4}
        for task in ("bi_encoder", "cross_encoder"):
            if objective.get(task):
                objective[task] = {**objective[task], "batch_size": 8}
    for experiment in config["experiments"].values():
        experiment["depths"] = [2, 3, 5][: len(experiment["depths"])]
    config["latency"] |= {"gallery_sizes": [10, 40], "depths": [2, 5], "queries": 2, "warmup": 1, "pairs_measured": 20}
    config["latency"] |= {"indexes": ["Flat", "HNSW32"], "index_vectors": 50}
    return config | {"depth": 2, "candidates": 10, "bootstrap": 20, "permutations": 50}


def draw_photograph(image: Photograph, folder: Path) -> None:
    """Bars in the colours of what the picture shows on a ground of its own, under its published name."""
    ground = np.random.default_rng(image.number).integers(200, 255, (48, 64, 3), dtype=np.uint8)
    picture = Image.fromarray(ground)
    for place, thing in enumerate(image.shown):
        ImageDraw.Draw(picture).rectangle((4 + 20 * place, 6, 18 + 20 * place, 40), fill=_COLOURS[thing])
    folder.mkdir(parents=True, exist_ok=True)
    name = f"COCO_val2014_{image.number:012}.jpg" if image.dataset == "coco" else f"{image.number}.jpg"
    picture.save(folder / name)
