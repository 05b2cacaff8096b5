"""Saved models come back whole or not at all."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from reranksmart.families import load_model
from reranksmart.models.checkpoints import save_model


@pytest.fixture
def folder(make_model, tmp_path):
    save_model(make_model(embedder="oscar"), tmp_path)
    return tmp_path


def change_config(folder, **changes):
    settings = json.loads((folder / "model.json").read_text()) | changes
    kept = {key: value for key, value in settings.items() if value != "removed"}
    (folder / "model.json").write_text(json.dumps(kept))


def change_tensors(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")


def test_truncated_weights_are_refused(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"model\.safetensors cannot be read .* Train the model again"):
        load_model(folder)


def test_truncated_settings_are_refused(folder):
    (folder / "model.json").write_text('{"embedder": "os')
    with pytest.raises(ValueError, match=r"model\.json cannot be read"):
        load_model(folder)


@pytest.mark.parametrize("name", ["model.json", "model.safetensors"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        load_model(folder)


def test_unknown_missing_and_impossible_settings_are_refused(folder):
    change_config(folder, hiden_size=3)
    with pytest.raises(ValueError, match=r"unknown keys .*hiden_size"):
        load_model(folder)
    change_config(folder, hiden_size="removed", vocab_size="removed")
    with pytest.raises(ValueError, match="vocab_size"):
        load_model(folder)
    change_config(folder, vocab_size=60, embedder="oskar")
    with pytest.raises(ValueError, match="called 'oskar'; choose one of"):
        load_model(folder)
    change_config(folder, embedder="oscar", heads=5)
    with pytest.raises(ValueError, match="hidden_size 24 is no multiple of heads 5"):
        load_model(folder)


def test_missing_unexpected_and_misshapen_tensors_are_all_named(folder):
    def change(tensors):
        del tensors["pooler.dense.bias"]
        tensors["pooler.dense.bais"] = torch.zeros(24)
        tensors["head.1.bias"] = torch.zeros(3)

    change_tensors(folder, change)
    with pytest.raises(ValueError, match=r"model\.safetensors does not fit") as error:
        load_model(folder)
    for told in (
        "missing: pooler.dense.bias",
        "unexpected: pooler.dense.bais",
        "head.1.bias (3,) instead of (2,)",
    ):
        assert told in str(error.value)


def test_a_failed_save_leaves_the_old_model(make_model, folder, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def fail(tensors, path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr("reranksmart.models.checkpoints.save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        save_model(make_model(embedder="uniter"), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
