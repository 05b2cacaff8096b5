"""What jobs ask for grows with what the configuration says of their size."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from snakemake.utils import update_config

from reranksmart.config.schema import Config
from reranksmart.config.validation import validated
from reranksmart.plan import arrays, durations, models, resources, sizes

ROOT = Path(__file__).parent.parent
READ = yaml.safe_load((ROOT / "config.yaml").read_text())
DEFAULT = validated(READ)
update_config(READ, yaml.safe_load((ROOT / "workflow/configs/extended.yaml").read_text()))
EXTENDED = validated(READ)
PAPER = validated(yaml.safe_load((ROOT / "workflow/configs/paper.yaml").read_text()))
MODERN = validated(yaml.safe_load((ROOT / "workflow/configs/modern.yaml").read_text()))
OF_DEFAULT = {"backbone": "oscar", "training_set": "scenes", "seed": "1"}
REFERENCE = validated(yaml.safe_load((ROOT / "results/reference/config.yaml").read_text()))
OF_PAPER = {"backbone": "oscar", "training_set": "coco", "seed": "1"}


def asked(config: Config, rule: str, **wildcards: str) -> tuple[int, int, int]:
    """Megabytes, minutes and GPUs of a job."""
    keys = SimpleNamespace(**wildcards)
    return (
        resources.memory_mb(config, rule, keys),
        resources.runtime_minutes(config, rule, keys),
        resources.gpus(config, rule, keys),
    )


@pytest.mark.parametrize("objective", EXTENDED.objectives)
def test_no_training_of_the_default_needs_a_gpu_or_more_than_two_gigabytes(objective: str) -> None:
    memory, minutes, gpus = asked(EXTENDED, "train", **OF_DEFAULT, objective=objective)
    assert (minutes, gpus) == (60, 0)
    assert 1200 < memory <= 2000  # the embedded default's largest took 1,192 MB


def test_the_paper_s_trainings_need_a_gpu_and_hours_by_their_steps() -> None:
    found = {name: asked(PAPER, "train", **OF_PAPER, objective=name) for name in PAPER.objectives}
    assert all(gpus == 1 for _, _, gpus in found.values())
    hours = {name: minutes / 60 for name, (_, minutes, _) in found.items()}
    assert 10 < hours["bi_encoder"] < hours["joint"] < hours["cross_encoder"] < 150
    assert found["joint_hard"][0] > found["joint"][0]  # the vectors of 680,000 captions and images


def test_half_the_steps_take_half_the_time_and_small_batches_less_memory() -> None:
    joint = PAPER.objectives["joint"]
    fewer = PAPER.model_copy(update={"objectives": {"joint": joint.model_copy(update={"steps": 15_000})}})
    whole = asked(PAPER, "train", **OF_PAPER, objective="joint")
    half = asked(fewer, "train", **OF_PAPER, objective="joint")
    assert half[1] == pytest.approx(whole[1] / 2, abs=60)
    few = joint.model_copy(update={"steps": 10})
    pairs = joint.cross_encoder.model_copy(update={"batch_size": 4})
    tiny = few.model_copy(update={"bi_encoder": None, "cross_encoder": pairs})
    on_cpu = [
        asked(PAPER.model_copy(update={"objectives": {"joint": one}}), "train", **OF_PAPER, objective="joint")
        for one in (few, tiny)
    ]
    assert [gpus for _, _, gpus in on_cpu] == [0, 0]
    assert on_cpu[0][0] > 5 * on_cpu[1][0]  # 256 pairs of a base model leave 23 GB in float32


def test_scoring_every_pair_of_coco_needs_days_of_a_gpu_and_the_memory_of_its_ranking() -> None:
    everything = {**OF_PAPER, "reranker": "cross_encoder", "gallery": "coco.test"}
    memory, minutes, gpus = asked(PAPER, "score_all", **everything)
    assert gpus == 1
    assert 50 * 60 < minutes < 250 * 60  # the paper's own took 50 hours
    assert memory > 25_000 * 5_000 * 28 / 2**20  # scores, their order, items and scores in that order
    candidates = {**OF_PAPER, "retriever": "joint", "reranker": "joint", "gallery": "coco.test"}
    assert asked(PAPER, "score_candidates", **candidates)[1] < minutes / 10
    measured = {**OF_PAPER, "test_set": "coco_5k"}
    assert resources.memory_mb(PAPER, "evaluate", SimpleNamespace(**measured, system="ce")) > memory / 2
    assert resources.memory_mb(PAPER, "evaluate", SimpleNamespace(**measured, system="be")) < 2000


def test_distractors_and_languages_count() -> None:
    plain, enlarged = (
        sizes.gallery_images(PAPER, gallery) for gallery in ("flickr30k.test", "flickr30k.test+coco.test+cc.dev")
    )
    assert (plain, enlarged) == (1_000, 1_000 + 5_000 + 15_840)
    assert sizes.queries_of(PAPER, "m3p", "multi30k.test") == ((5 + 5 + 1 + 1) * 1_000, 4_000)
    assert sizes.queries_of(PAPER, "m3p", "coco_m3p.test") == (25_000, 5_000)
    assert sizes.queries_of(DEFAULT, "oscar", "scenes.test.1") == (320, 320)


def test_table_1_trains_first_and_then_the_longest() -> None:
    def priority(backbone: str, objective: str) -> int:
        keys = SimpleNamespace(backbone=backbone, training_set="scenes", objective=objective)
        return models.training_priority(EXTENDED, keys)

    assert priority("oscar", "joint") > priority("m3p", "joint_languages") > priority("oscar", "joint_random")


@pytest.mark.parametrize(
    ("dataset", "split", "images"),
    [
        ("coco", "train", 113_287),
        ("coco", "fold_3", 1_000),
        ("flickr30k", "train", 29_783),
        ("multi30k", "test", 1_000),
    ],
)
def test_published_splits_have_their_published_sizes(dataset: str, split: str, images: int) -> None:
    assert sizes.images_of(PAPER, dataset, split) == images


def test_a_pair_of_a_base_model_is_11_gflop() -> None:
    oscar, m3p = (sizes.shape(PAPER, name) for name in ("oscar", "m3p"))
    assert 2 * oscar.trunk * sizes.tokens(PAPER, "oscar", "coco", pairs=1) == pytest.approx(11e9, rel=0.03)
    assert oscar.parameters == pytest.approx(111e6, rel=0.02)
    assert m3p.parameters == pytest.approx(279e6, rel=0.02)


def test_the_jobs_of_an_array_ask_for_what_the_largest_needs_since_they_get_what_one_asks() -> None:
    array = arrays.Array(PAPER, "train")
    alone = [asked(PAPER, "train", **OF_PAPER, objective=name) for name in PAPER.objectives]
    together = {
        (array.memory_mb(keys), array.runtime_minutes(keys), array.gpus(keys))
        for keys in (SimpleNamespace(**OF_PAPER, objective=name) for name in PAPER.objectives)
    }
    assert len(set(alone)) > 3
    assert len(together) == 1
    for found, needed in zip(together.pop(), zip(*alone, strict=True), strict=True):
        assert found >= max(needed)


def test_a_training_of_no_experiment_has_what_it_needs_in_an_array_too() -> None:
    none = PAPER.model_copy(update={"experiments": {}})
    keys = SimpleNamespace(**OF_PAPER, objective="cross_encoder")
    array = arrays.Array(none, "train")
    assert (array.memory_mb(keys), array.runtime_minutes(keys), array.gpus(keys)) == asked(
        PAPER, "train", **OF_PAPER, objective="cross_encoder"
    )


def test_a_shard_asks_for_its_part_of_the_time_and_for_a_gpu_only_where_that_part_is_worth_one() -> None:
    everything = SimpleNamespace(**OF_PAPER, reranker="cross_encoder", gallery="coco.test")
    whole, of_eight, of_many = (arrays.Array(PAPER, "score_all", shards) for shards in (1, 8, 2_000))
    assert of_eight.runtime_minutes(everything) == pytest.approx(whole.runtime_minutes(everything) / 8, rel=0.15)
    assert [array.gpus(everything) for array in (whole, of_eight, of_many)] == [1, 1, 0]


def test_merging_every_pair_of_coco_needs_the_memory_of_its_ranking_and_no_model() -> None:
    everything = SimpleNamespace(**OF_PAPER, reranker="cross_encoder", gallery="coco.test")
    merged, scored = (resources.memory_mb(PAPER, rule, everything) for rule in ("merge_exhaustive", "score_all"))
    assert 25_000 * 5_000 * 28 / 2**20 < merged < scored


@pytest.mark.parametrize("rule", ["convert_backbone", "adopt_backbone", "extract_pixels", "store_states"])
def test_a_job_that_opens_blip_2_has_room_for_its_five_gigabytes(rule: str) -> None:
    blip2, blip = (resources.memory_mb(MODERN, rule, SimpleNamespace(backbone=name)) for name in ("blip2", "blip"))
    assert blip2 > 2 * 4_700 > blip


def test_the_states_of_a_large_tower_need_a_gpu() -> None:
    split = {"dataset": "coco", "split": "test"}
    _, minutes, gpus = asked(MODERN, "store_states", backbone="blip2", **split)
    assert (minutes < 120, gpus) == (True, 1)
    _, minutes, gpus = asked(MODERN, "store_states", backbone="blip", **split)
    assert (2 * 60 < minutes < 6 * 60, gpus) == (True, 0)


@pytest.mark.parametrize(
    ("rule", "wildcards", "took"),
    [
        ("prepare_split", {"dataset": "scenes", "split": "train"}, 14.6),
        ("extract_regions", {"dataset": "scenes", "split": "train"}, 143),
        ("pretrain", {"backbone": "oscar", "dataset": "scenes"}, 118),
        ("train", {**OF_DEFAULT, "objective": "bi_encoder"}, 67),
        ("train", {**OF_DEFAULT, "objective": "cross_encoder"}, 82),
        ("train", {**OF_DEFAULT, "objective": "joint"}, 134),
        ("encode", {**OF_DEFAULT, "objective": "joint", "dataset": "scenes", "split": "test"}, 10.3),
        ("score_candidates", {**OF_DEFAULT, "retriever": "joint", "reranker": "joint", "gallery": "scenes.test"}, 36),
        ("score_all", {**OF_DEFAULT, "reranker": "joint", "gallery": "scenes.exhaustive.1"}, 32.2),
        ("evaluate", {**OF_DEFAULT, "system": "joint_coop", "test_set": "test"}, 4.6),
        ("measure_latency", {}, 69),
    ],
)
def test_a_job_is_expected_to_take_what_it_took_in_the_reference_run(rule, wildcards, took) -> None:
    """On two AVX2 cores: within a factor of 1.5, as the console's first words are to be."""
    expected = durations.seconds(REFERENCE, rule, SimpleNamespace(**wildcards))
    assert took / 1.5 <= expected <= took * 1.5
