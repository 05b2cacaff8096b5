import numpy as np
import torch
from toy import model, training_data

from reranksmart.training.pretraining import (
    align_words_and_regions,
    fold_standardisation,
    start_attention_with_like_to_like,
    word_region_scores,
)

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
