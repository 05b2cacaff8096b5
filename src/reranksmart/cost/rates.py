"""How many captions, images and pairs a second a model of a given size gets through: random weights, random inputs."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from reranksmart.config.costs import PlannedEvaluation
from reranksmart.cost.latency import milliseconds
from reranksmart.families import single_stream
from reranksmart.files.region_store import Regions, RegionStore
from reranksmart.inputs.stored import RegionInputs, TokenisedCaptions
from reranksmart.models.reduced import in_precision, is_native
from reranksmart.models.single_stream_config import SingleStreamConfig
from reranksmart.ranking.encoding import encode_captions, encode_images
from reranksmart.ranking.reranking import score_pairs
from reranksmart.values.precision import PRECISIONS, Precision

_FIRST_WORD = 1000  # ids below stand for special tokens


def planned_rates(planned: PlannedEvaluation, *, seed: int) -> list[dict[str, Any]]:
    """``measured_rates`` of a model of the planned evaluation's size, in each precision that this CPU does not emulate."""
    network = planned.network.model_dump()
    return measured_rates(
        SingleStreamConfig(embedder="oscar", cls_id=101, sep_id=102, pad_id=0, **network),
        precisions=[name for name in PRECISIONS if is_native(name, torch.device("cpu"))],
        tokens=planned.tokens,
        regions=planned.regions,
        counts=planned.timed.model_dump(),
        repeats=planned.repeats,
        seed=seed,
    )


def measured_rates(
    config: SingleStreamConfig,
    *,
    precisions: Sequence[Precision],
    tokens: int,
    regions: int,
    counts: Mapping[str, int],
    repeats: int,
    seed: int,
) -> list[dict[str, Any]]:
    """One row a stage (captions, images, pairs), precision and repeat: ``count`` items took ``time_ms``,
    in which the process's threads together computed for ``computed_ms``: others on the machine stretch only the first.

    ``counts`` says how many of each stage are timed, in turns of the precisions, after one call each that is not.
    """
    texts = random_captions(counts["captions"], tokens, words=config.vocab_size, seed=seed)
    images = random_images(counts["images"], regions, features=config.feature_size, seed=seed)
    ids, pairs = [str(row) for row in range(len(texts))], np.arange(counts["pairs"])
    model = single_stream(replace(config, hidden_dropout=0.0, attention_dropout=0.0), seed=seed)
    nets = {precision: in_precision(model, precision) for precision in precisions}
    stages: dict[str, Callable[[Any], object]] = {
        "captions": lambda net: encode_captions(net, texts, ids),
        "images": lambda net: encode_images(net, images),
        "pairs": lambda net: score_pairs(net, texts, images, pairs % len(texts), pairs % len(images), quiet=True),
    }
    warming = texts.batch([0]), images.batch([0])
    for net in nets.values():
        net.score_pairs(*warming)
    return [
        {"stage": stage, "precision": precision, "repeat": repeat, "count": counts[stage]} | _clocked(partial(run, net))
        for stage, run in stages.items()
        for repeat in range(repeats)
        for precision, net in nets.items()
    ]


def _clocked(action: Callable[[], object]) -> dict[str, float]:
    computed = time.process_time()
    wall = milliseconds(action)
    return {"time_ms": wall, "computed_ms": 1000 * (time.process_time() - computed)}


def random_captions(count: int, tokens: int, *, words: int, seed: int) -> TokenisedCaptions:
    """Captions of ``tokens`` random words each."""
    drawn = np.random.default_rng(seed).integers(min(_FIRST_WORD, words - 1), words, size=count * tokens)
    return TokenisedCaptions(np.arange(count + 1) * tokens, drawn.astype(np.int32), pad_id=0)


def random_images(count: int, regions: int, *, features: int, seed: int) -> RegionInputs:
    """Images of ``regions`` regions each, their features sparse and not negative as a detector's last layer gives."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        corners = np.sort(rng.random((regions, 2, 2), dtype=np.float32), axis=1).reshape(regions, 4)
        seen = np.maximum(rng.standard_normal((regions, features), dtype=np.float32) - 0.5, 0) * 2
        found.append(
            Regions(seen.astype(np.float16), corners, np.zeros(regions, np.int32), np.ones(regions, np.float32))
        )
    store = RegionStore.from_regions([f"image/{n}" for n in range(count)], found, ("thing",))
    return RegionInputs(store, max_regions=regions)
