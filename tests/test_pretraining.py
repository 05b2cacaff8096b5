import numpy as np
import pytest
import torch
from toy import captions_and_regions, model, training_data

from reranksmart.config.backbones import Backbone
from reranksmart.files.storage import write_captions, write_relevance
from reranksmart.training.making import Split, pretrain
from reranksmart.training.pretraining import (
    align_words_and_regions,
    fold_standardisation,
    start_attention_with_like_to_like,
    word_region_scores,
)
from reranksmart.training.state import StateFile

DATA = training_data(40)


def test_a_caption_is_found_where_its_words_are_best_matched():
    words = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]])
    regions = torch.tensor([[[3.0, 0.0], [0.0, 1.0]]])
    everywhere = torch.ones(1, 2, dtype=torch.bool)
    assert word_region_scores(words, everywhere, regions, everywhere).item() == 1.0
    first_only = torch.tensor([[True, False]])
    assert word_region_scores(words, everywhere, regions, first_only).item() == 0.5


def test_masked_words_count_for_nothing():
    words = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    regions = torch.randn(2, 2, 4, generator=torch.Generator().manual_seed(1))
    mask, seen = torch.tensor([[True, True, False]] * 2), torch.ones(2, 2, dtype=torch.bool)
    changed = words.clone()
    changed[:, 2] = 9.0
    assert torch.equal(word_region_scores(words, mask, regions, seen), word_region_scores(changed, mask, regions, seen))


def test_alignment_brings_words_and_regions_of_one_thing_together():
    learner = model(dropout=0.0)
    history = align_words_and_regions(
        learner, DATA, steps=120, batch_size=16, learning_rate=3e-3, temperature=0.1, seed=1
    )
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]


def test_like_attends_to_like():
    start = model()
    start_attention_with_like_to_like(start)
    for layer in start.encoder.layer:
        assert torch.equal(layer.attention.self.key.weight, layer.attention.self.query.weight)
        assert layer.attention.self.key.weight is not layer.attention.self.query.weight


def test_folding_equals_standardising_first():
    rng = np.random.default_rng(0)
    linear = torch.nn.Linear(5, 3)
    mean, std = rng.random(4).astype(np.float32), rng.random(4).astype(np.float32) + 0.5
    raw = torch.from_numpy(rng.random((7, 5)).astype(np.float32))
    standard = raw.clone()
    standard[:, :4] = (raw[:, :4] - torch.from_numpy(mean)) / torch.from_numpy(std)
    expected = linear(standard).detach()
    fold_standardisation(linear, mean, std)
    torch.testing.assert_close(linear(raw), expected)


def test_a_pretraining_killed_after_every_step_of_every_stage_ends_as_the_unbroken_one(tmp_path, monkeypatch):
    """What a stage leaves in memory, as the gradients of the alignment, is no part of the next one."""
    captions, store = captions_and_regions(24)
    split = Split(tmp_path / "captions.jsonl", tmp_path / "regions", tmp_path / "relevance.npz")
    write_captions(split.captions, captions)
    store.save(split.images)
    write_relevance(split.relevance, captions.relevance())
    tasks = {"bi_encoder": {"loss": "infonce", "batch_size": 8}, "cross_encoder": {"batch_size": 8}}
    stages = [{**tasks, "steps": steps, "learning_rate": 1e-3, "checkpoint_every": 1} for steps in (2, 3)]
    sizes = {"hidden_size": 32, "layers": 2, "heads": 2, "intermediate_size": 64, "vocabulary": 60}
    alignment = {"steps": 2, "batch_size": 8, "objectives": stages}
    backbone = Backbone.model_validate({"embedder": "oscar", **sizes, "pretraining": alignment})

    def made(name):
        target = tmp_path / name
        target.mkdir(exist_ok=True)
        states = tmp_path / f"{name}.state"
        pretrain(backbone, split, target, words=[], seed=1, states=states, made_by="code", what="test")
        assert not states.exists()
        return {path.name: path.read_bytes() for path in target.iterdir()}

    whole = made("whole")
    save = StateFile.save

    def save_and_end(self, state):
        save(self, state)
        raise KeyboardInterrupt

    monkeypatch.setattr(StateFile, "save", save_and_end)
    for _ in range(2 + 3):
        with pytest.raises(KeyboardInterrupt):
            made("cut")
    assert made("cut") == whole
