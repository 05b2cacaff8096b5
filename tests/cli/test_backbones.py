"""Published checkpoints become backbones by their files alone, strictly, with the tokeniser they were trained with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from typer.testing import CliRunner

from reranksmart.cli import load
from reranksmart.cli.verb import app
from reranksmart.config.backbones import Backbone, Reading
from reranksmart.families import load_model, single_stream
from reranksmart.files.region_store import Regions, RegionStore
from reranksmart.inputs.stored import RegionInputs, TokenisedCaptions, open_tokeniser
from reranksmart.inputs.tokenisers import train_unigram
from reranksmart.models.published import save_published
from reranksmart.models.single_stream_config import SingleStreamConfig
from reranksmart.ranking.encoding import EmbeddedImages
from reranksmart.ranking.reranking import score_pairs
from reranksmart.training.backbones import open_backbone
from reranksmart.values.records import Captions

load("convert-backbone")

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog", "red", "##dish", "Dog", "on", "grass")
XLM = {"cls_id": 0, "sep_id": 2, "pad_id": 1}
BERT = {"cls_id": 2, "sep_id": 3, "pad_id": 0}


def published(folder: Path, embedder: str) -> Path:
    """A small checkpoint with random weights in the published layout, its tokeniser beside."""
    folder.mkdir()
    size = len(WORDS)
    if embedder == "m3p":
        tokeniser = train_unigram(["a red dog on grass", "ein Hund"], size=60)
        tokeniser.save_pretrained(folder)
        size = len(tokeniser)
    else:
        (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    config = SingleStreamConfig(
        embedder=embedder,
        vocab_size=size,
        hidden_size=16,
        layers=2,
        heads=2,
        intermediate_size=24,
        feature_size=6,
        max_positions=60,
        **(XLM if embedder == "m3p" else BERT),
    )
    save_published(single_stream(config, seed=5), folder)
    return folder


def convert(tmp_path: Path, **settings: object) -> Path:
    backbone = Backbone(**settings)
    done = CliRunner().invoke(
        app,
        [
            "convert-backbone",
            "--settings",
            backbone.model_dump_json(exclude_unset=True),
            "--output",
            str(tmp_path / "out"),
        ],
    )
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return tmp_path / "out"


@pytest.mark.parametrize("embedder", ["oscar", "uniter", "m3p"])
def test_a_checkpoint_is_converted_with_its_sizes_weights_and_tokeniser(tmp_path: Path, embedder: str) -> None:
    source = published(tmp_path / "source", embedder)
    folder = convert(tmp_path, embedder=embedder, checkpoint=str(source))
    model, expected = load_model(folder), single_stream(load_model(folder).config, seed=5)
    assert (model.config.hidden_size, model.config.layers, model.config.heads) == (16, 2, 2)
    for name, value in expected.state_dict().items():
        if not name.startswith("head."):
            assert torch.equal(model.state_dict()[name], value), name
    ids = open_tokeniser(folder)("a Dog")["input_ids"]
    assert (ids[0], ids[-1]) == (model.config.cls_id, model.config.sep_id)
    if embedder != "m3p":
        assert ids[1:-1] == [WORDS.index("a"), WORDS.index("dog" if embedder == "oscar" else "Dog")]


def test_a_fresh_head_is_the_seed_s_and_a_published_one_the_file_s(tmp_path: Path) -> None:
    source = published(tmp_path / "source", "oscar")
    folder = convert(tmp_path, embedder="oscar", checkpoint=str(source))
    first, again, other = (
        open_backbone(folder, Reading(embedder="oscar"), seed=seed).head[1].weight for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    file = source / "pytorch_model.bin"
    torch.save({**torch.load(file), "classifier.weight": torch.ones(2, 16), "classifier.bias": torch.ones(2)}, file)
    folder = convert(tmp_path, embedder="oscar", checkpoint=str(source))
    assert all(
        (open_backbone(folder, Reading(embedder="oscar"), seed=seed).head[1].weight == 1).all() for seed in (1, 2)
    )


def test_a_joint_model_of_the_paper_is_taken_as_it_is(tmp_path: Path) -> None:
    zipped = tmp_path / "oscar_join"
    zipped.mkdir()
    published(zipped / "0_OSCAR", "oscar")
    for name in ("1_ClassificationHead", "2_Pooling"):
        (zipped / name).mkdir()
    head = {"classifier.weight": torch.full((2, 16), 0.5), "classifier.bias": torch.zeros(2)}
    torch.save(head, zipped / "1_ClassificationHead" / "class_head.pt")
    read = {"num_labels": 2, "input_key": "pooled_cls_token_embeddings", "dropout": 0.1}
    (zipped / "1_ClassificationHead" / "sentence_bert_config.json").write_text(json.dumps(read))
    (zipped / "2_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')
    settings = {"embedder": "oscar", "checkpoint": str(zipped)}
    folder = convert(tmp_path, **settings)
    taken = tmp_path / "model"
    arguments = ["--backbone", str(folder), "--backbone-settings", '{"embedder": "oscar"}', "--output", str(taken)]
    assert CliRunner().invoke(app, ["adopt-backbone", *arguments]).exit_code == 0
    model, converted = load_model(taken), load_model(folder)
    assert (model.head[1].weight == 0.5).all()
    assert all(torch.equal(model.state_dict()[name], value) for name, value in converted.state_dict().items())
    assert open_tokeniser(taken)("a dog")["input_ids"] == open_tokeniser(folder)("a dog")["input_ids"]


def test_a_missing_checkpoint_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"/nowhere is missing\. .*uniter-base\.pt"):
        convert(tmp_path, embedder="uniter", checkpoint="/nowhere")


def test_another_tokeniser_than_the_weights_is_refused(tmp_path: Path) -> None:
    source = published(tmp_path / "source", "oscar")
    other = tmp_path / "other"
    other.mkdir()
    (other / "vocab.txt").write_text("\n".join(reversed(WORDS)) + "\n")
    with pytest.raises(ValueError, match="the tokeniser has 12 entries"):
        convert(tmp_path, embedder="oscar", checkpoint=str(source), tokeniser=str(other))
    with pytest.raises(FileNotFoundError, match="xlm-roberta-base"):
        convert(tmp_path, embedder="m3p", checkpoint=str(published(tmp_path / "m3p", "m3p")), tokeniser=str(other))


def test_sizes_beside_a_checkpoint_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"\['layers'\] are the checkpoint's"):
        Backbone(embedder="oscar", checkpoint="/a", layers=3)
    with pytest.raises(ValidationError, match="belong to a published checkpoint"):
        Backbone(embedder="m3p", normalise_inputs=True)


def store(names: tuple[str, ...] = ("dog", "grass", "red")) -> RegionStore:
    draw = np.random.default_rng(3)
    found = []
    for count in (2, 3, 1):
        boxes = np.tile(np.array([0.1, 0.2, 0.6, 0.9], np.float32), (count, 1))
        features = draw.random((count, 6)).astype(np.float16)
        found.append(Regions(features, boxes, np.arange(count, dtype=np.int32), np.ones(count, np.float32)))
    return RegionStore.from_regions(["x/1", "x/2", "x/3"], found, names)


def test_object_tags_are_read_as_a_second_segment_of_the_pair(tmp_path: Path) -> None:
    folder = convert(tmp_path, embedder="oscar", checkpoint=str(published(tmp_path / "source", "oscar")))
    model = load_model(folder)
    captions = Captions(("c",), ("a red dog",), ("x/1",), ("en",))
    tokens = TokenisedCaptions.of(captions, open_tokeniser(folder), max_tokens=70)
    plain = RegionInputs.read_by(folder, store(), tag_tokens=0)
    tagged = RegionInputs.read_by(folder, store(), tag_tokens=50)
    assert tagged.batch([0, 1]).tags.token_ids.tolist() == [[6, 11, 0], [6, 11, 7]]  # padding is 0
    assert (tagged.lengths - plain.lengths).tolist() == [3, 4, 2]  # and [SEP]
    rows = np.zeros(3, dtype=np.int64), np.arange(3)
    scores = [score_pairs(model, tokens, images, *rows, quiet=True) for images in (plain, tagged)]
    assert (np.abs(scores[0] - scores[1]) > 1e-6).all()
    cached = score_pairs(model, tokens, EmbeddedImages.of(model, tagged), *rows, quiet=True)
    np.testing.assert_allclose(cached, scores[1], atol=1e-6)
    shorter = RegionInputs.read_by(folder, store(), tag_tokens=1)
    assert shorter.batch([1]).tags.token_ids.tolist() == [[6]]


def test_tags_of_regions_without_names_are_an_error(tmp_path: Path) -> None:
    folder = convert(tmp_path, embedder="oscar", checkpoint=str(published(tmp_path / "source", "oscar")))
    with pytest.raises(ValueError, match="these regions name no objects"):
        RegionInputs.read_by(folder, store(names=()), tag_tokens=50)
