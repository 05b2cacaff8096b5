"""A published model of transformers becomes a backbone's folder, with what it reads texts and pictures by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from pretrained_inputs import hub_folder, make, wordpieces
from safetensors.torch import load_file, save_file
from small_networks import SIDE
from transformers import BlipImageProcessorPil
from typer.testing import CliRunner

from reranksmart.cli import load
from reranksmart.cli.verb import app
from reranksmart.config.backbones import Reading
from reranksmart.families import load_model
from reranksmart.inputs.stored import open_tokeniser
from reranksmart.training.backbones import open_backbone

load("convert-backbone")


def converted(tmp_path: Path, **settings: object) -> Path:
    command = ["convert-backbone", "--settings", json.dumps(settings), "--output", str(tmp_path / "out")]
    CliRunner().invoke(app, command, catch_exceptions=False)
    return tmp_path / "out"


def test_a_model_of_pixels_keeps_its_weights_tokeniser_and_processor(tmp_path: Path) -> None:
    source = hub_folder("blip", wordpieces(tmp_path / "hub"))
    BlipImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(source)
    folder = converted(tmp_path, family="blip", checkpoint=str(source), score="match_logit_plus_cosine")
    model = load_model(folder)
    assert model.config.score == "match_logit_plus_cosine"
    assert all(torch.equal(model.state_dict()[key], value) for key, value in make("blip").state_dict().items())
    assert open_tokeniser(folder)("a dog")["input_ids"] == [2, 4, 5, 3]
    assert json.loads((folder / "preprocessor_config.json").read_text())["size"]["height"] == SIDE


@pytest.mark.parametrize("family", ["visualbert", "lxmert"])
def test_a_model_of_regions_takes_a_tokeniser_from_elsewhere_and_needs_no_processor(
    tmp_path: Path, family: str
) -> None:
    source, tokeniser = hub_folder(family, tmp_path / "hub"), wordpieces(tmp_path / "words")
    folder = converted(tmp_path, family=family, checkpoint=str(source), tokeniser=str(tokeniser))
    assert not load_model(folder).facts.reads_pixels
    assert open_tokeniser(folder)("a dog")["input_ids"] == [2, 4, 5, 3]
    assert not (folder / "preprocessor_config.json").exists()


def test_a_head_that_the_weights_lack_is_drawn_anew_for_each_seed(tmp_path: Path) -> None:
    source = hub_folder("visualbert", wordpieces(tmp_path / "hub"))
    weights = load_file(source / "model.safetensors")
    heads = [weights.pop(key) for key in list(weights) if key.startswith("cls.")]
    save_file(weights, source / "model.safetensors", metadata={"format": "pt"})
    folder = converted(tmp_path, family="visualbert", checkpoint=str(source))
    first, second = (open_backbone(folder, Reading(family="visualbert"), seed=seed).state_dict() for seed in (1, 2))
    assert len(heads) == 2
    assert {key for key in first if not torch.equal(first[key], second[key])} == {"network.cls.seq_relationship.weight"}
