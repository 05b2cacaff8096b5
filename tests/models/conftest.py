"""Small models of every backbone, and inputs of unequal lengths."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from reranksmart.families import single_stream
from reranksmart.models.single_stream import SingleStream
from reranksmart.models.single_stream_config import SingleStreamConfig
from reranksmart.values.batches import RegionBatch, TextBatch, pad_tokens

VARIANTS = {
    "oscar": {"embedder": "oscar"},
    "oscar with image norm and mlp": {"embedder": "oscar", "image_layer_norm_eps": 1e-5, "head_widths": (48,)},
    "uniter": {"embedder": "uniter"},
    "m3p": {"embedder": "m3p", "cls_id": 0, "sep_id": 2, "pad_id": 1},
    "m3p normalised": {"embedder": "m3p", "cls_id": 0, "sep_id": 2, "pad_id": 1, "normalise_inputs": True},
}
CONSTANTS = {"vocab_size": 60, "cls_id": 2, "sep_id": 3, "pad_id": 0, "max_positions": 40, "feature_size": 10}
SIZES = {"hidden_size": 24, "layers": 2, "heads": 3, "intermediate_size": 40}


def _make_model(**changes) -> SingleStream:
    """Weights are large, so that a wrong mask, position or segment shows in the outputs."""
    model = single_stream(SingleStreamConfig(**{**CONSTANTS, **SIZES, **changes}), seed=3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4 if parameter.ndim > 1 else 1)
    return model.eval()


@pytest.fixture
def make_model() -> Callable[..., SingleStream]:
    return _make_model


@pytest.fixture(params=VARIANTS, ids=list(VARIANTS))
def model(request) -> SingleStream:
    return _make_model(**VARIANTS[request.param])


@pytest.fixture
def texts(model: SingleStream) -> TextBatch:
    return texts_for(model, [3, 9, 1, 6])


def texts_for(model: SingleStream, lengths: list[int]) -> TextBatch:
    draw = torch.Generator().manual_seed(1)
    rows = [torch.randint(5, 60, (length,), generator=draw).tolist() for length in lengths]
    return pad_tokens([[model.config.cls_id, *row, model.config.sep_id] for row in rows], pad_id=model.config.pad_id)


@pytest.fixture(params=[False, True], ids=["without tags", "with tags"])
def regions(request) -> RegionBatch:
    draw = torch.Generator().manual_seed(2)
    mask = torch.arange(8) < torch.tensor([5, 2, 8, 1])[:, None]
    features = torch.rand(4, 8, 10, generator=draw) * mask[..., None]
    corners = torch.rand(4, 8, 2, 2, generator=draw).sort(dim=2).values
    tags = pad_tokens([[7, 8], [9], [], [10, 11, 12]]) if request.param else None
    return RegionBatch(features, corners.flatten(2) * mask[..., None], mask, tags)
