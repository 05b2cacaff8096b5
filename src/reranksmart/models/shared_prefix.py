"""Pairs of one picture with many captions, scored by a decoder that reads the picture first: it reads it once.

The keys and values of the tokens that all pairs share, the picture's among them, are computed once and stand before each
caption: n pairs of P shared and s own tokens take P + n s tokens instead of n (P + s), and one pass of the vision tower.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import DynamicCache

Pair = tuple[dict[str, Any], dict[str, Any]]


def scores_by_prefix(library: Any, pairs: list[Pair], prompt: str | None) -> Tensor | None:
    """What the last layer of a ``CrossEncoder`` gives (B,) float32 for pairs of one picture.

    None where they do not begin with it, or where another layer than the logits' difference gives the score. Beside
    ``library.predict`` only the order of sums differs, unless the network reads backwards too: compare one pair.
    """
    if [type(module).__name__ for module in library] != ["Transformer", "LogitScore"]:
        return None
    prompt = library._resolve_prompt(prompt, None)
    network = library[0].model
    with _processed_once(library[0].processor):
        features = library.preprocess(pairs, prompt=prompt)
    features = {
        name: value.to(library.device) if isinstance(value, Tensor) else value for name, value in features.items()
    }
    ids, mask = features["input_ids"], features["attention_mask"].bool()
    tokens = [row[real] for row, real in zip(ids, mask, strict=True)]
    shared = _shared(tokens)
    pictures = (tokens[0] == _picture_token(network)).nonzero()
    if not len(pictures) or int(pictures[-1]) >= shared:
        return None
    cache = DynamicCache(config=network.config)
    start = {name: value[:1] for name, value in features.items() if isinstance(value, Tensor)}
    start |= {name: value[mask[:1]][None, :shared] for name, value in start.items() if value.shape == ids[:1].shape}
    start["pixel_values"] = features["pixel_values"]
    with torch.inference_mode():
        network(**start, past_key_values=cache, use_cache=True, logits_to_keep=1)
        cache.batch_repeat_interleave(len(pairs))
        own = {"modality": features["modality"], "logits_to_keep": 1, **_own(network, tokens, shared, cache)}
        return cast(Tensor, library(own)["scores"]).flatten().float()


def _own(network: Any, tokens: list[Tensor], shared: int, cache: DynamicCache) -> dict[str, Any]:
    """What follows the shared tokens in each pair, padded on the left, with its places after them."""
    longest = max(map(len, tokens)) - shared
    ids = torch.stack([pad(row[shared:], (longest + shared - len(row), 0)) for row in tokens])  # (B, s)
    mask = torch.stack([pad(torch.ones_like(row[shared:]), (longest + shared - len(row), 0)) for row in tokens])
    places = (mask.cumsum(1) - 1).clamp(min=0) + shared
    moved = getattr(network.model, "rope_deltas", None)  # of networks that count a picture's places in three dimensions
    if moved is not None:
        places = (places + moved).expand(3, -1, -1)
    whole = torch.cat([mask.new_ones(len(tokens), shared), mask], 1)
    return {
        "input_ids": ids,
        "attention_mask": whole,
        "position_ids": places,
        "past_key_values": cache,
        "use_cache": True,
    }


def _shared(tokens: list[Tensor]) -> int:
    """How many tokens all rows begin with; of each at least one is left."""
    shortest = min(map(len, tokens))
    alike = (torch.stack([row[:shortest] for row in tokens]) == tokens[0][:shortest]).all(0)
    return min(int(alike.long().cumprod(0).sum()), shortest - 1)


def _picture_token(network: Any) -> int:
    config = network.config
    return int(getattr(config, "image_token_id", 0) or getattr(config, "image_token_index", -1))


@contextmanager
def _processed_once(processor: Any) -> Iterator[None]:
    """Within, every picture that is processed is taken for the first one."""
    own = processor.image_processor
    processor.image_processor = _Once(own)
    try:
        yield
    finally:
        processor.image_processor = own


class _Once:
    """An image processor that prepares the first of equal pictures; its sizes stand for each of them."""

    def __init__(self, own: Any) -> None:
        self._own = own

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    def __call__(self, images: Any, *given: Any, **named: Any) -> Any:
        found = self._own(images[:1], *given, **named)
        for name, value in found.items():
            if name != "pixel_values":
                found[name] = torch.cat([value] * len(images)) if isinstance(value, Tensor) else value * len(images)
        return found
