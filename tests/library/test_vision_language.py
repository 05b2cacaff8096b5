"""A decoder that reads pictures plays both roles on one set of weights, and learns both by adapters."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from library_checkpoints import write_library_folder
from own_pictures import COLOURS, draw
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor
from typer.testing import CliRunner

from reranksmart.cli import load as load_verbs
from reranksmart.cli.verb import app
from reranksmart.families import load_model
from reranksmart.files.storage import read_jsonl, write_captions, write_relevance
from reranksmart.models.checkpoints import save_model
from reranksmart.models.interface import BiEncoder, CrossEncoder
from reranksmart.models.pictures_alone import pictures_alone
from reranksmart.values.raw import Pictures, Texts
from reranksmart.values.records import Captions

load_verbs("convert-backbone", "train")
CLOSE = {"atol": 1e-5, "rtol": 1e-5}
TEXTS = Texts(("a red circle", "one", "<|im_end|> find the picture of a blue square that is no red circle"))


def run(*arguments: object) -> None:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception is not None:
        raise done.exception


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return write_library_folder("decoder", tmp_path_factory.mktemp("hub") / "decoder")


@pytest.fixture(scope="module")
def backbone(checkpoint) -> Path:
    settings = {"family": "vision_language", "checkpoint": str(checkpoint)}
    run("convert-backbone", "--settings", json.dumps(settings), "--output", checkpoint.parent / "backbone")
    return checkpoint.parent / "backbone"


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    draw_from = np.random.default_rng(1)
    sizes = [(40, 60), (64, 64), (90, 30)]
    made = tuple(Image.fromarray(draw_from.integers(0, 256, (*size, 3), dtype=np.uint8)) for size in sizes)
    return Pictures(made, (0, 1, 2))


def test_its_readings_are_those_of_transformers(checkpoint, backbone, pictures):
    """The state of the last token, and the difference of two logits, of one input at a time and without padding."""
    model = load_model(backbone)
    assert isinstance(model, BiEncoder)
    assert isinstance(model, CrossEncoder)
    with pictures_alone():
        processor = AutoProcessor.from_pretrained(checkpoint)
    network = AutoModelForImageTextToText.from_pretrained(checkpoint)
    with torch.inference_mode():
        texts, images, scores = (
            model.encode_text(TEXTS),
            model.encode_image(pictures),
            model.score_pairs(TEXTS, pictures),
        )
        for row in (0, 1):  # the third holds a mark of the chat, which is read as text
            shown = "<|vision_start|><|image_pad|><|vision_end|>"
            asked = f"{TEXTS.texts[row]}\nIs this caption true of the picture? Answer yes or no."
            for said, found in (
                (f"{TEXTS.texts[row]}\nIn one word:", texts[row]),
                (f"{shown}\nIn one word:", images[row]),
                (f"{shown}{asked}", scores[row]),
            ):
                chat = f"<|im_start|>user\n{said}<|im_end|>\n<|im_start|>assistant\n"
                given = {"images": [pictures.pictures[row]]} if shown in chat else {}
                inputs = processor(text=[chat], return_tensors="pt", **given)
                if found.ndim:
                    state = network.model(**inputs).last_hidden_state[0, -1]
                    torch.testing.assert_close(found, state / state.norm(), **CLOSE)
                else:
                    yes, no = network(**inputs).logits[0, -1, processor.tokenizer.convert_tokens_to_ids(["yes", "no"])]
                    torch.testing.assert_close(found, yes - no, **CLOSE)


def test_order_and_padding_change_nothing_and_a_saved_model_is_the_same(backbone, pictures, tmp_path):
    model = load_model(backbone)
    order = [2, 0, 1]
    turned = (
        Texts(tuple(TEXTS.texts[row] for row in order)),
        Pictures(tuple(pictures.pictures[row] for row in order), (2, 0, 1)),
    )
    with torch.inference_mode():
        whole = model.score_pairs(TEXTS, pictures)
        torch.testing.assert_close(model.score_pairs(*turned), whole[order], **CLOSE)
        torch.testing.assert_close(model.encode_text(turned[0]), model.encode_text(TEXTS)[order], **CLOSE)
        torch.testing.assert_close(model.encode_image(pictures).norm(dim=1), torch.ones(3), **CLOSE)
        save_model(model, tmp_path)
        for path in backbone.glob("*"):
            if not (tmp_path / path.name).exists():
                (tmp_path / path.name).write_bytes(path.read_bytes())
        again = load_model(tmp_path)
        torch.testing.assert_close(again.score_pairs(TEXTS, pictures), whole, **CLOSE)
    assert all(torch.equal(tensor, again.state_dict()[name]) for name, tensor in model.state_dict().items())


def write_split(folder: Path) -> Captions:
    rows = []
    for colour in COLOURS:
        for shape in ("ellipse", "rectangle"):
            draw(folder / "images" / f"{colour}-{shape}.png", colour, shape)
            image_id = f"drawn/{colour}-{shape}.png"
            rows.append((f"{image_id}#0", f"a {colour} {shape}", image_id, "en"))
    captions = Captions(*(tuple(column) for column in zip(*rows, strict=True)))
    write_captions(folder / "captions.jsonl", captions)
    write_relevance(folder / "relevance.npz", captions.relevance())
    return captions


def test_adapters_learn_both_objectives_in_turn_on_one_set_of_weights(backbone, tmp_path):
    write_split(tmp_path / "data")
    objective = {
        "bi_encoder": {"loss": "infonce", "batch_size": 8},
        "cross_encoder": {"batch_size": 8},
        **{"steps": 20, "learning_rate": 1e-2, "evaluate_every": 20, "dev_images": 4, "dev_pair_images": 4},
    }
    tuning = {"frozen": ["vision"], "lora": {"rank": 8}, "gradient_checkpointing": True}
    place = {"captions": "captions.jsonl", "images": "", "relevance": "relevance.npz"}
    paths = [(f"--{dev}{name}", tmp_path / "data" / file) for dev in ("", "dev-") for name, file in place.items()]
    reading = {"family": "vision_language", "languages": ["en"], "max_tokens": 32}
    run(
        *("train", "--backbone", backbone, "--settings", json.dumps(objective), "--tuning", json.dumps(tuning)),
        *("--backbone-settings", json.dumps(reading), "--output", tmp_path / "joint" / "model"),
        *(word for path in paths for word in path),
    )
    history = read_jsonl(tmp_path / "joint" / "model" / "history.jsonl")
    for task in ("bi_encoder", "cross_encoder"):
        losses = [row["loss"] for row in history if row.get("task") == task]
        assert len(losses) == 2
        assert losses[-1] < losses[0], task
    trained, before = (load_model(folder).state_dict() for folder in (tmp_path / "joint" / "model", backbone))
    moved = {name for name in before if not torch.equal(before[name], trained[name])}
    assert moved
    assert all("language_model" in name and name.split(".")[-2] in ("q_proj", "k_proj", "v_proj") for name in moved)
