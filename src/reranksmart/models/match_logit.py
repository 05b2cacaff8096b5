"""Pairs ranked by the logit of a match alone, as the published evaluators do, instead of by its log-odds."""

import copy
from typing import TypeVar, cast

import torch
from torch import nn

from reranksmart.models.single_stream import SingleStream

Model = TypeVar("Model")


def ranked_by(model: Model, score: str) -> Model:
    """A model whose pairs score ``log_odds``: the model itself; or ``match_logit``: of the same weights, but with the
    other logit at 0, so that the match's is all that ranks. ValueError where a model has no two logits."""
    if score == "log_odds":
        return model
    if score != "match_logit" or not isinstance(model, SingleStream):
        raise ValueError(
            f"a {type(model).__name__} cannot rank pairs by {score!r}; all rank by log_odds, single-stream models by "
            "match_logit too. Set the backbone's score to one of these."
        )
    other = copy.copy(model)
    other._modules = {**model._modules, "head": copy.deepcopy(model.head)}
    last = cast(nn.Linear, other.head[-1])
    with torch.no_grad():
        last.weight[0] = 0
        last.bias[0] = 0
    return cast(Model, other)
