"""Inputs of the published sizes without their data: random weights, captions of 10 to 18 tokens, regions on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reranksmart.families import single_stream
from reranksmart.files.region_store import RegionStore
from reranksmart.inputs.stored import TokenisedCaptions
from reranksmart.models.single_stream import SingleStream
from reranksmart.models.single_stream_config import SingleStreamConfig

FEATURES = 2048


def model(*, hidden_size: int = 768, layers: int = 12, dropout: float = 0.1) -> SingleStream:
    """OSCAR-base with random weights, or a smaller one."""
    config = SingleStreamConfig(
        embedder="oscar",
        vocab_size=30522,
        cls_id=101,
        sep_id=102,
        pad_id=0,
        hidden_size=hidden_size,
        layers=layers,
        heads=hidden_size // 64,
        intermediate_size=4 * hidden_size,
        hidden_dropout=dropout,
        attention_dropout=dropout,
        head_dropout=dropout,
    )
    return single_stream(config, seed=1).eval()


def captions(count: int, *, shortest: int = 10, longest: int = 18, seed: int = 0) -> TokenisedCaptions:
    """Random words; as long as MSCOCO's captions: 14 tokens in the mean, special tokens included."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(shortest, longest + 1, size=count)
    tokens = rng.integers(1000, 30000, size=int(lengths.sum())).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    tokens[offsets[:-1]], tokens[offsets[1:] - 1] = 101, 102
    return TokenisedCaptions(offsets, tokens, pad_id=0)


def regions(folder: Path, images: int, *, fewest: int = 50, most: int = 50, seed: int = 0) -> RegionStore:
    """Images on disk, opened memory-mapped: sparse non-negative features, as a detector's last layer gives."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(fewest, most + 1, size=images)
    total = int(counts.sum())
    features = np.empty((total, FEATURES), dtype=np.float16)
    for part in np.array_split(np.arange(total), max(1, total // 4096)):
        values = rng.standard_normal((len(part), FEATURES), dtype=np.float32) - 0.5
        features[part] = np.maximum(values, 0) * 2
    corners = np.sort(rng.random((total, 2, 2), dtype=np.float32), axis=1).reshape(total, 4)
    RegionStore(
        image_ids=tuple(f"image/{n}" for n in range(images)),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        features=features,
        boxes=corners,
        labels=np.zeros(total, np.int32),
        confidences=np.ones(total, np.float32),
        label_names=("thing",),
    ).save(folder)
    return RegionStore.open(folder)
