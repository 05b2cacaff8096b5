"""What a job is expected to take, in seconds of one core and megabytes of disk, before anything has run.

The seconds are those of a small machine; a run corrects them by what its first jobs took.
"""

import shutil
from collections.abc import Callable, Mapping
from typing import Any

from reranksmart.config.schema import Config
from reranksmart.plan import work
from reranksmart.plan.images import reranker_of
from reranksmart.plan.resources import CORE_TFLOP_A_SECOND, V100_TFLOP_A_SECOND, gpus, tflop
from reranksmart.plan.sizes import images_of, items_of, queries_of, shape, vectors_bytes

_LIGHT_S, _TORCH_S = 1.5, 10.0  # a verb's start: without and with torch
_STARTS = {
    "fetch_stamps": 30.0,
    "download": 60.0,
    "prepare_split": 3.0,
    "merge_regions": 4.0,
    "evaluate": 3.5,
    "evaluate_absence": 2.5,
    "compare": 5.0,
    "tabulate": 3.0,
    "plot": 5.0,
    "report": 4.0,
    "measure_rates": 55.0,
    "measure_precision": 40.0,
}
_TORCH = ("pretrain", "train", "encode", "score_", "store_states", "convert_", "adopt_", "extract_", "measure_")
_FULL_SPEED_WIDTH = 384  # narrower models spend their time between the products
_ALL_CORES = 1.5  # how many times faster than one core: small products gain little from more
_PICTURE_S, _DETECTION_S = 0.008, 0.1  # of a composed scene
_PICTURE_MB, _REGIONS_MB, _IMPORTED_REGIONS_MB, _PIXELS_MB = 0.025, 0.02, 0.2, 0.44
_STAMPS_MB, _RANKED_PAIR_MB, _OTHER_MB = 200, 12e-6, 0.3


def expected(config: Config, rule: str, wildcards: Any) -> tuple[float, float]:
    """Seconds and megabytes of a job."""
    return seconds(config, rule, wildcards), megabytes(config, rule, wildcards)


def seconds(config: Config, rule: str, wildcards: Any) -> float:
    """Of a job on one core; of a shard its share."""
    whole = rule.removesuffix("_shard")
    parts = 1 if whole == rule else config.shards.encode if whole == "encode" else config.shards.rerank
    start = _STARTS.get(whole, _TORCH_S if whole.startswith(_TORCH) else _LIGHT_S)
    return start + _work_seconds(config, whole, wildcards) / parts


def _work_seconds(config: Config, rule: str, wildcards: Any) -> float:
    if rule in ("prepare_split", "extract_regions"):
        images = images_of(config, wildcards.dataset, wildcards.split)
        return images * (_PICTURE_S if rule == "prepare_split" else _DETECTION_S / config.regions.shards)
    operations = work.pretraining(config, wildcards) if rule == "pretrain" else tflop(config, rule, wildcards)
    if not operations:
        return 0.0
    if shutil.which("nvidia-smi") and gpus(config, rule, wildcards):
        return operations / V100_TFLOP_A_SECOND
    speed = CORE_TFLOP_A_SECOND * min(1.0, _width(config, rule, wildcards) / _FULL_SPEED_WIDTH)
    return operations / (speed * (_ALL_CORES if rule == "measure_latency" else 1.0))


def megabytes(config: Config, rule: str, wildcards: Any) -> float:
    """What a job leaves on the disk."""
    return _MEGABYTES[rule](config, wildcards) if rule in _MEGABYTES else _OTHER_MB


def _width(config: Config, rule: str, wildcards: Any) -> int:
    if rule == "measure_latency":
        return shape(config, config.latency.backbone).width if config.latency else _FULL_SPEED_WIDTH
    own = reranker_of(wildcards)[0] if rule.startswith("score_") else wildcards.backbone
    return shape(config, own).width


def _weights(config: Config, wildcards: Any) -> float:
    return 4e-6 * shape(config, wildcards.backbone).parameters


def _of_images(composed: float, published: float) -> Callable[[Config, Any], float]:
    def found(config: Config, wildcards: Any) -> float:
        each = composed if config.datasets[wildcards.dataset].needs_stamps else published
        return each * images_of(config, wildcards.dataset, wildcards.split)

    return found


def _candidates(config: Config, wildcards: Any) -> float:
    return _RANKED_PAIR_MB * sum(queries_of(config, wildcards.backbone, wildcards.gallery)) * config.candidates


def _vectors(config: Config, wildcards: Any) -> float:
    count = items_of(config, wildcards.backbone, wildcards.dataset, wildcards.split)
    return 1e-6 * vectors_bytes(config, wildcards.backbone, count)


_MEGABYTES: Mapping[str, Callable[[Config, Any], float]] = {
    "fetch_stamps": lambda config, _: _STAMPS_MB,
    "prepare_split": _of_images(_PICTURE_MB, 0.001),
    "merge_regions": _of_images(_REGIONS_MB, _IMPORTED_REGIONS_MB),
    "import_regions": _of_images(_REGIONS_MB, _IMPORTED_REGIONS_MB),
    "extract_pixels": _of_images(_PIXELS_MB, _PIXELS_MB),
    "convert_backbone": _weights,
    "adopt_backbone": _weights,
    "pretrain": _weights,
    "train": _weights,
    "encode": _vectors,
    "retrieve": _candidates,
    "score_candidates": _candidates,
    "score_all": lambda config, wildcards: _RANKED_PAIR_MB * work.all_pairs(config, wildcards),
}
