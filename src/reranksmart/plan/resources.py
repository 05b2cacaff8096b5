"""Memory, time and GPUs of a job, from what the configuration says of its size.

A job of more than ``GPU_WORTH_HOURS`` on one core asks for a GPU. A time is a limit: twice what the job would take at
measured speed, on one core of ``benchmarks/results/rates.json`` or on the V100 of the paper's Table 4. Where ``shards``
jobs share the work of one, these are the time and the GPU of each.
"""

from collections.abc import Callable, Mapping
from typing import Any

from reranksmart.config.schema import Config
from reranksmart.plan import work
from reranksmart.plan.images import reranker_of
from reranksmart.plan.names import gallery_names
from reranksmart.plan.sizes import gallery_images, items_of, queries_of, shape, vectors_bytes
from reranksmart.values.factories import learned_from
from reranksmart.values.gallery import Gallery

CORE_TFLOP_A_SECOND = 0.1  # float32: 9.7 pairs of BERT-base
V100_TFLOP_A_SECOND = 4.5  # 600,000 pairs in 25 minutes
GPU_WORTH_HOURS = 6.0
_LIMIT, _STEP_MINUTES, _SHORTEST_MINUTES = 2.0, 30, 60
_BASE_MB = 1500  # Python with torch and transformers
_MODELS_READING, _MODELS_TRAINING = (
    2,
    7,
)  # copies of the weights: gradients, moments, the best ones, what is being saved
_MODELS_CONVERTING = 6  # as published, with what else is in such files, as read, as built, and what is being saved
_STATES_A_TOKEN = 40  # numbers kept of a token in a layer, in widths (Korthikanti et al. 2022)
_BYTES_AN_ITEM = 600  # of a gallery: its id, and a caption's text
_BYTES_A_RANKED_PAIR = 64  # while a whole ranking is sorted, written or measured


def gpus(config: Config, rule: str, wildcards: Any, *, shards: int = 1) -> int:
    return int(_hours(tflop(config, rule, wildcards) / shards, CORE_TFLOP_A_SECOND) > GPU_WORTH_HOURS)


def runtime_minutes(config: Config, rule: str, wildcards: Any, *, shards: int = 1) -> int:
    speed = V100_TFLOP_A_SECOND if gpus(config, rule, wildcards, shards=shards) else CORE_TFLOP_A_SECOND
    needed = _LIMIT * 60 * _hours(tflop(config, rule, wildcards) / shards, speed)
    return _SHORTEST_MINUTES + _STEP_MINUTES * int(needed // _STEP_MINUTES)


def memory_mb(config: Config, rule: str, wildcards: Any) -> int:
    return _BASE_MB + -(-_MEMORY[rule](config, wildcards) // 2**20)


def _hours(tflop: float, speed: float) -> float:
    return tflop / speed / 3600


def tflop(config: Config, rule: str, wildcards: Any) -> float:
    """The work of a job; none of one that runs no model."""
    return _WORK[rule](config, wildcards) if rule in _WORK else 0.0


def _weights_bytes(config: Config, backbone: str, copies: int) -> int:
    return 4 * copies * shape(config, backbone).parameters


def _reading_bytes(config: Config, wildcards: Any) -> int:
    return _weights_bytes(config, wildcards.backbone, _MODELS_READING)


def _converting_bytes(config: Config, wildcards: Any) -> int:
    return _weights_bytes(config, wildcards.backbone, _MODELS_CONVERTING)


def _saved_vectors_bytes(config: Config, wildcards: Any) -> int:
    """A split's vectors twice, while they are saved."""
    count = items_of(config, wildcards.backbone, wildcards.dataset, wildcards.split)
    return 2 * vectors_bytes(config, wildcards.backbone, count)


def states_bytes(config: Config, wildcards: Any) -> int:
    """What the largest batch of a training leaves in memory for its backward pass, in float32."""
    model = shape(config, wildcards.backbone)
    dataset = config.training_sets[wildcards.training_set].dataset
    batch = max(work.batch_tokens(config, wildcards.backbone, dataset, config.objectives[wildcards.objective]).values())
    return 4 * _STATES_A_TOKEN * model.width * model.layers * batch


def _train_bytes(config: Config, wildcards: Any) -> int:
    """The model with all that training keeps of it: its states of a batch where there is no GPU to hold them, and the
    vectors that hard negatives are searched in."""
    weights = _weights_bytes(config, wildcards.backbone, _MODELS_TRAINING)
    if not gpus(config, "train", wildcards):
        weights += states_bytes(config, wildcards)
    if config.objectives[wildcards.objective].hard_negatives is None:
        return weights
    chosen = config.training_sets[wildcards.training_set]
    count = items_of(config, wildcards.backbone, chosen.dataset, chosen.split)
    return weights + 3 * vectors_bytes(config, wildcards.backbone, count)


def _index_bytes(config: Config, wildcards: Any) -> int:
    """The vectors of a gallery twice, or each job's share of them: as they are read, and in the index."""
    items = _gallery_items(config, wildcards)
    return items * _BYTES_AN_ITEM + 2 * vectors_bytes(config, wildcards.backbone, items) // config.shards.index


def _sample_bytes(config: Config, wildcards: Any) -> int:
    """The vectors that the lists of a gallery's index are learned from, twice."""
    items = _gallery_items(config, wildcards)
    return items * _BYTES_AN_ITEM + 2 * vectors_bytes(
        config, wildcards.backbone, min(items, learned_from(config.index))
    )


def _gallery_items(config: Config, wildcards: Any) -> int:
    return sum(items_of(config, wildcards.backbone, *place) for place in Gallery.parse(wildcards.gallery).places)


def _candidates_bytes(config: Config, wildcards: Any) -> int:
    return _BYTES_A_RANKED_PAIR * sum(queries_of(config, wildcards.backbone, wildcards.gallery)) * config.candidates


def _every_pair_bytes(config: Config, wildcards: Any) -> int:
    return _BYTES_A_RANKED_PAIR * work.all_pairs(config, wildcards)


def _scoring_bytes(config: Config, wildcards: Any) -> int:
    """The model, and half a gigabyte of projected regions."""
    return _weights_bytes(config, reranker_of(wildcards)[0], _MODELS_READING) + 2**29


def _evaluate_bytes(config: Config, wildcards: Any) -> int:
    """A whole ranking where there is no retriever, else the candidates; of one fold at a time."""
    ranked = 0
    for gallery in gallery_names(config.test_sets[wildcards.test_set]):
        captions, images = queries_of(config, wildcards.backbone, gallery)
        whole = config.systems[wildcards.system].retriever is None
        ranked = max(
            ranked, captions * gallery_images(config, gallery) if whole else (captions + images) * config.candidates
        )
    return _BYTES_A_RANKED_PAIR * ranked


def _latency_bytes(config: Config, wildcards: Any) -> int:
    """The largest gallery's vectors, in an index and beside it, and the models."""
    if config.latency is None:
        return 0
    vectors = vectors_bytes(config, config.latency.backbone, max(config.latency.gallery_sizes))
    return 3 * vectors + _weights_bytes(config, config.latency.backbone, _MODELS_READING * len(config.latency.systems))


_WORK: Mapping[str, Callable[[Config, Any], float]] = {
    "store_states": work.states,
    "encode": work.encoding,
    "train": work.training,
    "score_candidates": lambda config, w: work.pair_scoring(config, w, work.candidate_pairs(config, w)),
    "score_all": lambda config, w: work.pair_scoring(config, w, work.all_pairs(config, w)),
    "measure_latency": lambda config, _: work.timing(config),
}
_MEMORY: Mapping[str, Callable[[Config, Any], int]] = {
    "convert_backbone": _converting_bytes,
    "adopt_backbone": _converting_bytes,
    "extract_pixels": _reading_bytes,
    "store_states": _reading_bytes,
    "encode": lambda config, w: _reading_bytes(config, w) + _saved_vectors_bytes(config, w),
    "train": _train_bytes,
    "merge_embeddings": _saved_vectors_bytes,
    "index": _index_bytes,
    "train_index": _sample_bytes,
    "retrieve": lambda config, w: _index_bytes(config, w) + _candidates_bytes(config, w),
    "score_candidates": lambda config, w: _scoring_bytes(config, w) + _candidates_bytes(config, w),
    "merge_pair_scores": _candidates_bytes,
    "score_all": lambda config, w: _scoring_bytes(config, w) + _every_pair_bytes(config, w),
    "merge_exhaustive": _every_pair_bytes,
    "evaluate": _evaluate_bytes,
    "measure_latency": _latency_bytes,
}
