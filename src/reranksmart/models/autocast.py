"""A published model that computes in bfloat16: its weights as they are, its products under autocast."""

import copy

import torch

from reranksmart.models.pretrained import Pretrained

_READINGS = ("encode_text", "encode_image", "score_pairs", "vision_states")


def under_autocast(model: Pretrained) -> Pretrained:
    """A model of the same weights whose readings compute in bfloat16; its heads, embeddings and scores stay float32."""
    reduced = copy.copy(model.eval())
    reduced.__dict__ = dict(model.__dict__)
    for name in _READINGS:
        if hasattr(model, name):
            reading = torch.autocast(model.device.type, torch.bfloat16)(getattr(model, name))
            object.__setattr__(reduced, name, reading)
    return reduced
