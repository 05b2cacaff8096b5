"""Defects of the published code that these models do not have."""

from __future__ import annotations

import pytest
import torch

from reranksmart.models.region_embeddings import region_inputs
from reranksmart.values.batches import RegionBatch, TextBatch


def images(counts: list[int], *, width: int | None = None) -> RegionBatch:
    """Images with these many regions, each the same whatever the batch, padded to ``width``."""
    width = width or max(counts)
    draw = torch.Generator().manual_seed(4)
    features, corners = (
        torch.rand(1, 12, 10, generator=draw),
        torch.rand(1, 12, 2, 2, generator=draw).sort(dim=2).values,
    )
    mask = torch.arange(width) < torch.tensor(counts)[:, None]
    boxes = corners.flatten(2)[:, :width].expand(len(counts), -1, -1)
    return RegionBatch(features[:, :width].expand(len(counts), -1, -1), boxes, mask)


def caption(model, rows: int = 1) -> TextBatch:
    tokens = torch.tensor([[model.config.cls_id, 7, 9, 11, model.config.sep_id]] * rows)
    return TextBatch(tokens, torch.ones_like(tokens, dtype=torch.bool))


def test_uniter_reads_an_image_alone(make_model):
    """The published code hands the first token on as text where its id is expected, and crashes."""
    vectors = make_model(embedder="uniter").encode_image(images([3, 7]))
    assert vectors.shape == (2, 24)
    assert not torch.allclose(vectors[0], vectors[1], atol=1e-3)


def test_uniter_pools_the_first_token_of_each_sample(make_model):
    """The published code hands on the token matrix of the second sample and fails on a batch of one."""
    model = make_model(embedder="uniter")
    texts, regions = caption(model, 3), images([3, 7, 5])
    with torch.no_grad():
        logits = model.logits_pairs(texts, regions)
        states, _ = model.hidden_states(texts, regions)
        by_hand = torch.tanh(states[-1][:, 0] @ model.pooler.dense.weight.T + model.pooler.dense.bias)
        torch.testing.assert_close(logits, model.head(by_hand), atol=1e-6, rtol=1e-5)
        alone = model.logits_pairs(caption(model), images([3]))
    assert logits.shape == (3, 2)
    torch.testing.assert_close(alone[0], logits[0], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("normalised", [False, True])
def test_m3p_reads_the_text_beside_an_image_with_few_regions(make_model, normalised):
    """The published code takes the valid positions as one prefix of [regions, padding, text]."""
    model = make_model(embedder="m3p", cls_id=0, sep_id=2, pad_id=1, normalise_inputs=normalised)
    texts, other = caption(model), caption(model)
    other.token_ids[0, 2] = 30
    with torch.no_grad():
        tight, loose = model.score_pairs(texts, images([3])), model.score_pairs(texts, images([3], width=12))
        _, mask = model.hidden_states(texts, images([3], width=12))
        gap = model.score_pairs(other, images([3], width=12)) - loose
    torch.testing.assert_close(loose, tight, atol=1e-6, rtol=1e-5)
    assert abs(gap.item()) > 1e-3
    assert mask.tolist() == [[True] * 8]  # 3 regions, then 5 tokens


def test_m3p_positions_count_real_tokens_only(make_model):
    """The published code counts the padding between regions and text as well."""
    model = make_model(embedder="m3p", cls_id=0, sep_id=2, pad_id=1)
    with torch.no_grad():
        states, _ = model.hidden_states(caption(model), images([3], width=12))
        word = model.embedder.word.weight[9] + model.embedder.position.weight[3 + 2]  # third token after 3 regions
        expected = model.embedder.norm(word)
    torch.testing.assert_close(states[0][0, 5], expected, atol=1e-6, rtol=1e-5)


def test_m3p_inputs_can_be_normalised_as_in_its_pretraining(make_model):
    """The published code leaves the normalisation of M3P's authors out."""
    regions = images([3, 7])
    for values in region_inputs(regions.features, regions.boxes, columns="x1 y1 x2 y2 area", normalised=True):
        torch.testing.assert_close(values.norm(dim=-1), torch.ones(2, 7))
    plain, normalised = (
        make_model(embedder="m3p", cls_id=0, sep_id=2, pad_id=1, normalise_inputs=choice) for choice in (False, True)
    )
    longer = RegionBatch(regions.features * 5, regions.boxes, regions.mask)
    with torch.no_grad():
        torch.testing.assert_close(normalised.encode_image(longer), normalised.encode_image(regions))
        assert not torch.allclose(plain.encode_image(longer), plain.encode_image(regions), atol=1e-3)


def test_scores_are_monotone_in_the_match_probability(make_model):
    """The published code ranks by the positive logit alone, which ``logits_pairs`` still gives."""
    model = make_model(embedder="oscar")
    texts, regions = caption(model, 6), images([1, 2, 4, 6, 9, 12])
    with torch.no_grad():
        scores, logits = model.score_pairs(texts, regions), model.logits_pairs(texts, regions)
    assert torch.equal(scores.argsort(), logits.softmax(dim=1)[:, 1].argsort())


@pytest.mark.parametrize("hidden_size", [12, 48])
def test_the_hidden_size_is_the_configuration_s(make_model, hidden_size):
    """The published code has 768 written into its head and its pooling."""
    model = make_model(embedder="oscar", hidden_size=hidden_size)
    assert model.encode_text(caption(model)).shape == (1, hidden_size)
    assert model.score_pairs(caption(model), images([3])).shape == (1,)
