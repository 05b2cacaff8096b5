"""The work of a job, in TFLOP: two operations for each weight of the trunk and token that passes it.

One pair of a caption and an image in BERT-base is 0.011 TFLOP.
"""

from typing import Any

from reranksmart.config.backbones import Backbone
from reranksmart.config.schema import Config
from reranksmart.config.training import Objective
from reranksmart.plan.experiments import deepest
from reranksmart.plan.images import reranker_of
from reranksmart.plan.sizes import PATCHES, captions_of, gallery_images, images_of, queries_of, shape, tokens

_PASSES = 3  # forward and backward together, in forwards


def encoding(config: Config, wildcards: Any) -> float:
    """Each caption and image of a split once."""
    dataset, split = wildcards.dataset, wildcards.split
    captions = captions_of(config, dataset, split, config.backbones[wildcards.backbone].languages)
    read = tokens(config, wildcards.backbone, dataset, captions=captions, images=images_of(config, dataset, split))
    return _tflop(config, wildcards.backbone, read)


def states(config: Config, wildcards: Any) -> float:
    """Every patch of a split's images through the vision tower."""
    patches = images_of(config, wildcards.dataset, wildcards.split) * PATCHES
    return 2 * shape(config, wildcards.backbone).vision * patches / 1e12


def candidate_pairs(config: Config, wildcards: Any) -> int:
    """The pairs of every query with its candidates, both directions and all languages."""
    return sum(queries_of(config, wildcards.backbone, wildcards.gallery)) * deepest(config, wildcards)


def all_pairs(config: Config, wildcards: Any) -> int:
    """The pairs of every caption that asks with every image of the gallery."""
    captions, _ = queries_of(config, reranker_of(wildcards)[0], wildcards.gallery)
    return captions * gallery_images(config, wildcards.gallery)


def pair_scoring(config: Config, wildcards: Any, pairs: int) -> float:
    backbone, dataset = reranker_of(wildcards)[0], wildcards.gallery.split(".")[0]
    return _tflop(config, backbone, tokens(config, backbone, dataset, pairs=pairs))


def training(config: Config, wildcards: Any) -> float:
    """All steps, the evaluations on dev, and the searches for hard negatives."""
    objective, training_set = config.objectives[wildcards.objective], config.training_sets[wildcards.training_set]
    dataset, languages = training_set.dataset, config.backbones[wildcards.backbone].languages
    batch = batch_tokens(config, wildcards.backbone, dataset, objective)
    step = sum(batch[task] for task in objective.schedule or objective.tasks)
    dev = refresh = 0
    if objective.bi_encoder:
        dev += tokens(
            config, wildcards.backbone, dataset, captions=5 * objective.dev_images, images=objective.dev_images
        )
    if objective.cross_encoder:
        dev += tokens(config, wildcards.backbone, dataset, pairs=objective.dev_pair_images**2)
    if hard := objective.hard_negatives:
        captions = captions_of(config, dataset, training_set.split, languages)
        images = images_of(config, dataset, training_set.split)
        times = max(0, objective.steps - hard.first_at) / hard.refresh_every if hard.refresh_every else 1
        refresh = round(
            times
            * training_set.fraction
            * tokens(
                config,
                wildcards.backbone,
                dataset,
                captions=captions,
                images=images,
                pairs=hard.depth * (captions + images) if hard.judged_below else 0,
            )
        )
    steps = objective.steps * objective.accumulation
    evaluations = objective.steps // objective.evaluate_every
    return _tflop(config, wildcards.backbone, _PASSES * steps * step + evaluations * dev + refresh)


def pretraining(config: Config, wildcards: Any) -> float:
    """All steps of every objective in turn; the alignment before them costs next to nothing."""
    chosen, read = config.backbones[wildcards.backbone], 0
    for objective in chosen.pretraining.objectives if isinstance(chosen, Backbone) and chosen.pretraining else ():
        batch = batch_tokens(config, wildcards.backbone, wildcards.dataset, objective)
        read += objective.steps * objective.accumulation * sum(batch.values())
    return _tflop(config, wildcards.backbone, _PASSES * read)


def batch_tokens(config: Config, backbone: str, dataset: str, objective: Objective) -> dict[str, int]:
    """The tokens of one batch of each of an objective's tasks."""
    found = {}
    if task := objective.bi_encoder:
        found["bi_encoder"] = tokens(config, backbone, dataset, captions=task.batch_size, images=task.batch_size)
    if pairs := objective.cross_encoder:
        found["cross_encoder"] = tokens(config, backbone, dataset, pairs=2 * pairs.batch_size)
    if sampled := objective.sampled_triplet:
        read = sampled.batch_size * (1 + sampled.negatives)
        found["sampled_triplet"] = tokens(config, backbone, dataset, captions=read, images=read)
    return found


def timing(config: Config) -> float:
    """The pairs of all timed queries: those of re-ranking, and of the exhaustive cross-encoder where it is really run."""
    if config.latency is None:
        return 0.0
    latency, pairs = config.latency, 0
    for system in (config.systems[name] for name in latency.systems):
        for size in latency.gallery_sizes:
            if system.retriever and system.reranker:
                pairs += sum(min(depth, size) for depth in latency.depths)
            elif system.reranker:
                pairs += min(size, latency.pairs_measured)
    asked, dataset = (latency.queries + latency.warmup) * pairs, config.test_sets[latency.test_set].dataset
    return _tflop(config, latency.backbone, tokens(config, latency.backbone, dataset, pairs=asked))


def _tflop(config: Config, backbone: str, read: int) -> float:
    return 2 * shape(config, backbone).trunk * read / 1e12
