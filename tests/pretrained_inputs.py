"""Small models of transformers' backbones with large weights, and inputs of unequal lengths."""

from __future__ import annotations

from pathlib import Path

import torch

from reranksmart.batches import TextBatch, pad_tokens
from reranksmart.models.pretrained import Pretrained
from reranksmart.models.small import PATCH, small_model
from reranksmart.pixels import PixelBatch, patches_of

IDS = {"words": 60, "cls_id": 58, "sep_id": 59, "pad_id": 0, "positions": 16}


def make(name: str, **settings) -> Pretrained:
    """Weights are large, so that a wrong mask or position shows in the outputs."""
    model = small_model(name, seed=3, **{**IDS, **settings})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3 if parameter.ndim > 1 else 1)
    return model


def pixels(grids: list[tuple[int, int]], seed: int = 2) -> PixelBatch:
    draw = torch.Generator().manual_seed(seed)
    cut = [patches_of(torch.randn(3, h * PATCH, w * PATCH, generator=draw), PATCH) for h, w in grids]
    longest = max(map(len, cut))
    patches = torch.stack([torch.nn.functional.pad(one, (0, 0, 0, longest - len(one))) for one in cut])
    mask = torch.arange(longest) < torch.tensor([len(one) for one in cut])[:, None]
    return PixelBatch(patches, mask, torch.tensor(grids))


def words() -> TextBatch:
    draw = torch.Generator().manual_seed(1)
    rows = [torch.randint(5, 57, (length,), generator=draw).tolist() for length in (3, 9, 1, 6)]
    return pad_tokens([[58, *row, 59] for row in rows])


def hub_folder(name: str, folder: Path) -> Path:
    """The model of ``make`` in ``folder`` as transformers writes it: config.json and model.safetensors."""
    make(name).network.save_pretrained(folder)
    return folder
