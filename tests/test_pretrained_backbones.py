"""Backbones of transformers in the configuration, and what a plan makes of systems that join two of them."""

from __future__ import annotations

import copy
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from reranksmart.config.pretrained import FAMILIES
from reranksmart.config.validation import validated
from reranksmart.families import family
from reranksmart.models.interface import BiEncoder, CrossEncoder, StatesEncoder
from reranksmart.plan import experiments, images, measures
from reranksmart.plan import models as planned_models
from reranksmart.values.settings import ConfigError

DEFAULT = yaml.safe_load((Path(__file__).parent.parent / "config.yaml").read_text())
MODERN = {
    "backbones": {
        "siglip2": {"family": "siglip", "checkpoint": "google/siglip2-base-patch16-224"},
        "blip": {"family": "blip", "checkpoint": "Salesforce/blip-itm-base-coco"},
    },
    "objectives": {
        "zero_shot": {"bi_encoder": {}, "steps": 0},
        "zero_shot_joint": {"bi_encoder": {}, "cross_encoder": {}, "steps": 0},
    },
    "systems": {
        "zero_shot_be": {"label": "BE", "retriever": "zero_shot"},
        "zero_shot_coop": {"label": "Coop", "retriever": "zero_shot_joint", "reranker": "zero_shot_joint"},
        "siglip2_blip": {
            "label": "SigLIP 2, BLIP",
            "retriever": "zero_shot",
            "reranker": "zero_shot_joint",
            "reranker_backbone": "blip",
        },
    },
    "experiments": {
        "modern": {
            "backbones": ["siglip2"],
            "training_sets": ["scenes"],
            "systems": ["zero_shot_be", "siglip2_blip"],
            "test_sets": ["test"],
            "depths": [30],
        }
    },
}


def modern(**changes: dict) -> dict:
    """The default configuration with published models in it; ``changes`` by section and name."""
    config = copy.deepcopy(DEFAULT)
    for section in MODERN:
        config[section] |= copy.deepcopy(MODERN[section])
    for section, values in changes.items():
        for name, value in values.items():
            config[section][name] = {**config[section].get(name, {}), **value}
    return config


CONFIG = validated(modern())


def of(**wildcards: str) -> SimpleNamespace:
    return SimpleNamespace(training_set="scenes", seed="1", **wildcards)


@pytest.mark.parametrize("name", [name for name, facts in FAMILIES.items() if facts.sees != "pictures"])
def test_what_is_said_of_a_family_is_true_of_its_class(name: str) -> None:
    kind, facts = family(name), FAMILIES[name]
    assert issubclass(kind, BiEncoder) == ("bi_encoder" in facts.capabilities)
    assert issubclass(kind, CrossEncoder) == ("cross_encoder" in facts.capabilities)
    assert (issubclass(kind, StatesEncoder) and facts.reads_pixels) == (facts.sees == "states")
    assert kind.facts == facts
    assert kind.family() == name


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"backbones": {"blip": {"checkpont": "a"}}}, "backbones.blip.checkpont: unknown key.*'checkpoint'"),
        ({"backbones": {"blip": {"family": "blib"}}}, r"backbones.blip.family: .*'blip'"),
        ({"backbones": {"blip": {"score": "cosine"}}}, "backbones.blip: blip has no score 'cosine'; it has .*log_odds"),
        (
            {"experiments": {"modern": {"systems": ["zero_shot_coop"]}}},
            "experiments.modern: system 'zero_shot_coop' needs objective 'zero_shot_joint', whose task 'cross_encoder' "
            "backbone 'siglip2' cannot do.*Choose another system or backbone",
        ),
        ({"systems": {"siglip2_blip": {"reranker_backbone": "blop"}}}, "siglip2_blip.reranker_backbone.*Did you mean"),
        ({"systems": {"be": {"reranker_backbone": "blip"}}}, "reranker_backbone is given, but no reranker"),
        (
            {"backbones": {"siglip2": {"languages": ["en", "de"]}}},
            "'siglip2_blip' joins backbones of different languages",
        ),
        ({"objectives": {"zero_shot_joint": {"cached_layers": 1}}}, "cached_layers 1 only backbones of regions have"),
        (
            {
                "datasets": {
                    "coco": {
                        "kind": "coco",
                        "annotations": "c.json",
                        "splits": {"test": {}},
                        "regions": {"format": "npz", "paths": ["a"]},
                    }
                },
                "test_sets": {"coco_5k": {"dataset": "coco", "split": "test"}},
                "experiments": {"modern": {"test_sets": ["coco_5k"]}},
            },
            "experiments.modern: backbone 'siglip2' reads pictures, but datasets.coco.images names none",
        ),
    ],
    ids=["misspelt", "family", "score", "cannot", "unknown", "no role", "languages", "cached layers", "no pictures"],
)
def test_what_a_published_model_cannot_do_is_refused(changes: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        validated(modern(**changes))


def test_a_system_of_two_backbones_names_each_role_s_files() -> None:
    place = of(backbone="siglip2", system="siglip2_blip", test_set="test")
    found = measures.measure_inputs(CONFIG, place)
    assert found["ranking"] == ["results/candidates/siglip2/scenes/zero_shot/seed1/scenes.test"]
    assert found["pair_scores"] == [
        "results/pair_scores/siglip2/scenes/zero_shot-blip.zero_shot_joint/seed1/scenes.test"
    ]
    judged = of(backbone="siglip2", retriever="zero_shot", reranker="blip.zero_shot_joint", gallery="scenes.test")
    assert images.reranker_model(judged) == "results/models/blip/scenes/zero_shot_joint/seed1/model"
    assert images.reranker_images(CONFIG, judged) == ["results/states/blip/scenes/zero_shot_joint/seed1/scenes/test"]
    assert experiments.deepest(CONFIG, judged) == 30


def test_a_system_of_one_backbone_keeps_its_paths() -> None:
    found = measures.measure_inputs(CONFIG, of(backbone="oscar", system="sep_coop", test_set="test"))
    assert found["pair_scores"] == ["results/pair_scores/oscar/scenes/bi_encoder-cross_encoder/seed1/scenes.test"]
    judged = of(backbone="oscar", retriever="bi_encoder", reranker="cross_encoder", gallery="scenes.test")
    assert images.reranker_images(CONFIG, judged) == ["results/regions/scenes/test"]


def test_models_of_pixels_are_encoded_from_pixels_and_others_from_stored_states() -> None:
    place = {"objective": "zero_shot", "dataset": "scenes", "split": "test"}
    assert images.split_images(CONFIG, of(backbone="siglip2", **place)) == "results/pixels/siglip2/scenes/test"
    assert images.split_images(CONFIG, of(backbone="oscar", **place)) == "results/regions/scenes/test"
    assert images.split_images(CONFIG, of(backbone="blip", **place)).startswith("results/states/blip/scenes/zero_shot/")


def test_every_model_of_a_joined_system_is_planned() -> None:
    models = experiments.trained_models(CONFIG)
    assert {"siglip2/scenes/zero_shot/seed1", "blip/scenes/zero_shot_joint/seed1"} <= set(models)
    assert "blip/scenes/zero_shot/seed1" not in models


def test_how_a_model_is_tuned_converts_no_checkpoint_again() -> None:
    tuned = validated(modern(backbones={"blip": {"tuning": {"frozen": ["vision"], "lora": {"rank": 4}}}}))
    assert planned_models.checkpoint_settings(tuned, "blip") == planned_models.checkpoint_settings(CONFIG, "blip")
    assert '"rank":4' in planned_models.tuning_option(tuned, "blip")
    assert planned_models.tuning_option(CONFIG, "blip") == planned_models.tuning_option(CONFIG, "oscar") == ""


def test_several_processes_are_launched_for_trainings_alone() -> None:
    assert planned_models.train_command(CONFIG) == "reranksmart"
    assert "--nproc-per-node 2" in planned_models.train_command(CONFIG.model_copy(update={"processes": 2}))


def test_training_a_published_model_reads_pixels() -> None:
    found = planned_models.train_inputs(CONFIG, of(backbone="blip", objective="joint"))
    assert found["images"] == "results/pixels/blip/scenes/train"
    assert found["dev_images"] == "results/pixels/blip/scenes/dev"
    assert found["backbone"] == "results/checkpoints/blip"
