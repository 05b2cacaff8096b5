"""What re-ranking costs a model whose images' states are stored: the time of a query's pairs, and bytes an image."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from reranksmart.cost.latency import milliseconds
from reranksmart.inputs.stored import RegionInputs, TokenisedCaptions
from reranksmart.models.single_stream import SingleStream
from reranksmart.ranking.encoding import EmbeddedImages
from reranksmart.run.progress import progress


def pair_costs(
    models: Mapping[str, tuple[SingleStream, TokenisedCaptions]],
    regions: RegionInputs,
    *,
    depth: int,
    queries: int,
    warmup: int,
    bulk_pairs: int,
    bulk_repeats: int = 5,
) -> list[dict[str, Any]]:
    """One row a model, kind and repeat: ``time_ms`` of one query with ``depth`` images, and of ``bulk_pairs`` pairs.

    The images' states are computed before; the caption is read within the time, once a query. The models take turns,
    so that what else the machine does meets all of them.
    """
    with torch.inference_mode():
        stored = {name: EmbeddedImages.of(model, regions) for name, (model, _) in models.items()}
    rows: list[dict[str, Any]] = []
    for kind, pairs, repeats in (("query", depth, queries), ("bulk", bulk_pairs, bulk_repeats)):
        for repeat in progress(range(-warmup, repeats), what=f"time pairs ({kind})", total=warmup + repeats):
            for name, (model, captions) in models.items():
                took = milliseconds(lambda: _score(model, captions, stored[name], pairs, max(repeat, 0)))  # noqa: B023
                if repeat >= 0:
                    rows.append({"system": name, "kind": kind, "pairs": pairs, "repeat": repeat, "time_ms": took})
    for row in rows:
        row["bytes_per_image"] = bytes_per_image(stored[row["system"]])
    return rows


def _score(model: SingleStream, captions: TokenisedCaptions, images: EmbeddedImages, pairs: int, repeat: int) -> None:
    """Scores one caption with ``pairs`` images; images repeat where there are fewer."""
    row = repeat % len(captions)
    image_rows = (np.arange(pairs) + repeat) % len(images)
    with torch.inference_mode():
        if model.config.cached_layers:
            text = model.cache_texts(captions.batch([row]))
            model.score_pairs(text.take(torch.zeros(pairs, dtype=torch.int64)), images.batch(image_rows))
        else:
            model.score_pairs(captions.batch(np.full(pairs, row)), images.batch(image_rows))


def bytes_per_image(images: EmbeddedImages) -> float:
    """Bytes of the states that are kept of one image, padding not counted."""
    return float(np.diff(images.offsets).mean()) * images.states.shape[1] * images.states.element_size()
