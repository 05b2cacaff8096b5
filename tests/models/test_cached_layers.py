"""The first layers read text and image apart, so that their states can be stored."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from reranksmart.values.batches import EmbeddedRegions, RegionBatch, TextBatch, pad_tokens


@pytest.fixture(params=[("oscar", 1), ("oscar", 2), ("uniter", 1)], ids=lambda value: f"{value[0]} {value[1]}")
def model(request, make_model):
    embedder, layers = request.param
    return make_model(embedder=embedder, layers=3, cached_layers=layers)


@pytest.fixture
def texts() -> TextBatch:
    return pad_tokens([[2, 7, 9, 3], [2, 30, 31, 32, 33, 3], [2, 8, 3], [2, 40, 50, 3]])


@pytest.fixture
def regions() -> RegionBatch:
    draw = torch.Generator().manual_seed(2)
    mask = torch.arange(8) < torch.tensor([5, 2, 8, 1])[:, None]
    features = torch.rand(4, 8, 10, generator=draw) * mask[..., None]
    corners = torch.rand(4, 8, 2, 2, generator=draw).sort(dim=2).values
    return RegionBatch(features, corners.flatten(2) * mask[..., None], mask)


def blocked_scores(model, texts: TextBatch, regions: RegionBatch) -> Tensor:
    """Log-odds by one pass over the pair whose first layers have attention between text and image masked out."""
    scores = []
    for row in range(len(texts)):
        text = TextBatch(texts.token_ids[row : row + 1], texts.mask[row : row + 1])
        kept = regions.mask[row]
        image = RegionBatch(
            regions.features[row : row + 1, kept], regions.boxes[row : row + 1, kept], regions.mask[row : row + 1, kept]
        )
        words = model.embed_text(text)[:, text.mask[0]]
        tokens = torch.cat([words, model.embed_regions(image)], dim=1)
        is_text = torch.arange(tokens.shape[1]) < words.shape[1]
        for number, layer in enumerate(model.encoder.layer):
            apart = number < model.config.cached_layers
            allowed = (
                (is_text[:, None] == is_text) if apart else torch.ones(len(is_text), len(is_text), dtype=torch.bool)
            )
            tokens = layer(tokens, allowed[None, None])
        logits = model.head(model.pooler(tokens))
        scores.append(logits[0, 1] - logits[0, 0])
    return torch.stack(scores)


def test_scores_are_those_of_a_pass_without_attention_across_in_the_first_layers(model, texts, regions):
    with torch.no_grad():
        torch.testing.assert_close(
            model.score_pairs(texts, regions), blocked_scores(model, texts, regions), atol=1e-5, rtol=1e-4
        )


def test_stored_states_score_as_the_inputs_they_are_of(model, texts, regions):
    with torch.no_grad():
        expected = model.score_pairs(texts, regions)
        text_states, image_states = model.cache_texts(texts), model.cache_regions(regions)
        torch.testing.assert_close(model.score_pairs(text_states, image_states), expected, atol=2e-6, rtol=1e-4)
        rows = torch.tensor([3, 0, 0, 2])
        taken = model.score_pairs(text_states.take(rows), image_states.take(rows))
        torch.testing.assert_close(taken, expected[rows], atol=2e-6, rtol=1e-4)


def test_padding_changes_no_score(model, texts, regions):
    wide_text = pad_tokens([texts.token_ids[0, texts.mask[0]].tolist(), list(range(2, 15))])
    with torch.no_grad():
        alone = model.score_pairs(texts, regions)[0]
        image = RegionBatch(regions.features[[0, 2]], regions.boxes[[0, 2]], regions.mask[[0, 2]])
        torch.testing.assert_close(model.score_pairs(wide_text, image)[0], alone, atol=2e-6, rtol=1e-4)


def test_the_bi_encoder_reads_all_layers_as_before(model, make_model, texts, regions):
    plain = make_model(embedder=model.config.embedder, layers=3)
    with torch.no_grad():
        assert torch.equal(model.encode_text(texts), plain.encode_text(texts))
        assert torch.equal(model.encode_image(regions), plain.encode_image(regions))


def test_every_weight_learns_from_pairs(model, texts, regions):
    model.score_pairs(texts, regions).square().sum().backward()
    untouched = [name for name, value in model.named_parameters() if value.grad is None or not value.grad.any()]
    assert untouched == []


def test_states_of_another_depth_are_refused(model, make_model, texts, regions):
    other = make_model(embedder=model.config.embedder, layers=3, cached_layers=3 - model.config.cached_layers)
    with pytest.raises(ValueError, match="states after"):
        model.score_pairs(texts, other.cache_regions(regions))
    with pytest.raises(ValueError, match="states after"):
        model.score_pairs(other.cache_texts(texts), regions)
    with pytest.raises(ValueError, match="states after"):
        model.encode_image(model.cache_regions(regions))


def test_object_tags_cannot_be_read_apart_from_the_caption(model, texts, regions):
    tagged = RegionBatch(regions.features, regions.boxes, regions.mask, pad_tokens([[7], [8], [9], [10]]))
    with pytest.raises(ValueError, match="object tags"):
        model.score_pairs(texts, tagged)


@pytest.mark.parametrize("layers", [-1, 3, 12])
def test_the_last_layer_must_read_the_pair(make_model, layers):
    with pytest.raises(ValueError, match=f"cached_layers is {layers}"):
        make_model(embedder="oscar", layers=3, cached_layers=layers)


def test_m3p_has_no_layers_to_cache(make_model):
    with pytest.raises(ValueError, match="M3P numbers"):
        make_model(embedder="m3p", layers=3, cached_layers=1)


def test_regions_are_input_tokens_where_no_layer_is_cached(make_model, texts, regions):
    model = make_model(embedder="oscar")
    with torch.no_grad():
        stored = model.cache_regions(regions)
        assert isinstance(stored, EmbeddedRegions)
        assert stored.layers == 0
        torch.testing.assert_close(
            model.score_pairs(texts, stored), model.score_pairs(texts, regions), atol=2e-6, rtol=1e-4
        )
