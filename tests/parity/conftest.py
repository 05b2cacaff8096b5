"""The deterministic weights and inputs of the recordings.

The frozen outputs in ``data/`` were recorded with the authors' code (UKPLab/MMT-Retrieval, git 86943f2) in evaluation
mode under torch 2.13 and transformers 4.30.2, on networks whose weights and inputs are rebuilt here from their names.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from reranksmart.families import family, single_stream
from reranksmart.models.published import load_published, save_published
from reranksmart.models.published_names import published_parameters
from reranksmart.models.single_stream import SingleStream
from reranksmart.models.single_stream_config import SingleStreamConfig
from reranksmart.values.batches import RegionBatch, TextBatch, pad_tokens

DATA = Path(__file__).parent / "data"


def _normal(name: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape)


def weight(name: str, shape: tuple[int, ...], *, std: float, prefix: str = "") -> Tensor:
    """The recorded networks' tensor of this published name."""
    values = _normal(prefix + name, shape)
    if name.endswith("bias"):
        values = 0.1 * values
    elif "LayerNorm" in name or "layer_norm" in name:
        values = 1 + 0.1 * values
    else:
        values = std * values
    return torch.from_numpy(values.astype(np.float32))


def image(name: str, count: int) -> tuple[Tensor, Tensor]:
    """Features (count, 2048) and boxes (count, 4) in [0, 1] of the recorded image of this name."""
    draw = np.random.RandomState(zlib.crc32(f"img{name}".encode()))
    features = np.maximum(draw.standard_normal((count, 2048)), 0)
    x1, y1, width, height = (draw.uniform(*ends, count) for ends in ((0, 448), (0, 336), (5, 192), (5, 144)))
    boxes = np.stack([x1, y1, x1 + width, y1 + height], axis=1).astype(np.float32) / [640, 480, 640, 480]
    return torch.from_numpy(features.astype(np.float32)), torch.from_numpy(boxes.astype(np.float32))


def regions(images: Sequence[tuple[str, int]], *, tags: TextBatch | None = None, most: int = 50) -> RegionBatch:
    """These (name, count) images as a batch, ``most`` regions each at most."""
    drawn = [image(*each) for each in images]
    counts = torch.tensor([min(count, most) for _, count in images])
    mask = torch.arange(int(counts.max())) < counts[:, None]
    features, boxes = torch.zeros(*mask.shape, 2048), torch.zeros(*mask.shape, 4)
    for row, (values, corners) in enumerate(drawn):
        features[row, : counts[row]], boxes[row, : counts[row]] = values[:most], corners[:most]
    return RegionBatch(features, boxes, mask, tags)


def load_recorded(config: SingleStreamConfig, folder: Path, *, std: float) -> SingleStream:
    """A model with the recorded weights, through the files that a published one comes in."""
    blank = single_stream(config)
    save_published(blank, folder)
    published = {
        name: weight(name, tuple(parameter.shape), std=std)
        for name, parameter in published_parameters(blank)
        if not name.startswith("head.")
    }
    shapes = [tuple(module.weight.shape) for module in blank.head if hasattr(module, "weight")]
    for place, shape in enumerate(shapes):
        module = "classifier" if len(shapes) == 1 else f"classifier.{2 * place}"
        published[f"{module}.weight"] = weight(f"{module}.weight", shape, std=0.2, prefix="head.")
        published[f"{module}.bias"] = weight(f"{module}.bias", shape[:1], std=0.2, prefix="head.")
    if config.embedder == "m3p":
        file = folder / "m3p_under_weights.pth"
        torch.save(torch.load(file) | {"model": published}, file)
    else:
        file = folder / {"oscar": "pytorch_model.bin", "uniter": "uniter-base.pt"}[config.embedder]
        torch.save(published, file)
    return load_published(family(config.embedder), folder)


def sketch(name: str, values: Tensor) -> np.ndarray:
    """The norm of a tensor and its products with three random directions, seeded by its name."""
    flat = values.detach().double().numpy().ravel()
    return np.array([np.linalg.norm(flat), *(flat @ _normal(f"{name}/{i}", flat.shape) for i in range(3))])


def published_sketches(model: SingleStream, what: str) -> dict[str, np.ndarray]:
    """A sketch of each parameter's ``what`` ('data' or 'grad') by published name; parameters without it are left out."""
    found = {}
    for name, parameter in published_parameters(model):
        if (values := getattr(parameter, what)) is not None:
            name = name.replace("head.1.", "classifier.") if len(model.head) == 2 else _mlp_name(name)
            found[name] = sketch(name, values)
    return found


def _mlp_name(name: str) -> str:
    return name.replace("head.1.", "classifier.0.").replace("head.3.", "classifier.2.")


@pytest.fixture(scope="session")
def recorded() -> SimpleNamespace:
    """The recipe's functions and the folder of frozen outputs."""
    return SimpleNamespace(
        data=DATA,
        regions=regions,
        load=load_recorded,
        sketches=published_sketches,
        texts=lambda rows: pad_tokens([list(row) for row in rows]),
    )
