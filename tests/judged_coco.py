"""COCO's 5k test split, fabricated: the real numbers of its images and captions, made-up texts, and the judges' own code."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from reranksmart.datasets.published.extended_relevance import judged_items
from reranksmart.values.records import Direction


def judged_images() -> list[int]:
    """The numbers of the 5,000 test images."""
    return list(judged_items("original", Direction.IMAGE_TO_TEXT))


def write_karpathy(path: Path, images: Iterable[int], *, others: Iterable[int] = ()) -> Path:
    """``dataset_coco.json`` with these test images, and some of train."""
    captions = judged_items("original", Direction.IMAGE_TO_TEXT)
    rows = []
    for split, numbers in (("test", images), ("train", others)):
        for number in numbers:
            own = captions.get(number) or [10 * number + place for place in range(5)]
            sentences = [{"raw": f"caption {caption}", "sentid": caption} for caption in own]
            rows.append({"filename": f"COCO_val2014_{number:012}.jpg", "split": split, "sentences": sentences})
    path.write_text(json.dumps({"images": rows, "dataset": "coco"}))
    return path


@cache
def judges() -> Any:
    """The evaluator of the package that publishes the judgements."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses an optional parser of JSON
        from eccv_caption import Metrics
    return Metrics()
