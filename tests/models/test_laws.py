"""What must hold for every backbone, with and without object tags."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from reranksmart.families import load_model
from reranksmart.models.checkpoints import save_model
from reranksmart.models.interface import BiEncoder, CrossEncoder
from reranksmart.values.batches import EmbeddedRegions, RegionBatch, TextBatch

CLOSE = {"atol": 2e-6, "rtol": 1e-4}


def outputs(model, texts: TextBatch, regions: RegionBatch | EmbeddedRegions) -> list[Tensor]:
    with torch.no_grad():
        return [model.encode_text(texts), model.encode_image(regions), model.score_pairs(texts, regions)]


def rows_of(texts: TextBatch, regions: RegionBatch, rows: list[int]) -> tuple[TextBatch, RegionBatch]:
    tags = regions.tags and TextBatch(regions.tags.token_ids[rows], regions.tags.mask[rows])
    return (
        TextBatch(texts.token_ids[rows], texts.mask[rows]),
        RegionBatch(regions.features[rows], regions.boxes[rows], regions.mask[rows], tags),
    )


def padded(values: Tensor, columns: int, filling: float) -> Tensor:
    shape = (values.shape[0], columns, *values.shape[2:])
    return torch.cat([values, torch.full(shape, filling, dtype=values.dtype)], dim=1)


def test_a_model_claims_the_protocols_whose_methods_it_has(model):
    assert isinstance(model, BiEncoder)
    assert isinstance(model, CrossEncoder)


def test_embeddings_have_length_one(model, texts, regions):
    for vectors in outputs(model, texts, regions)[:2]:
        assert torch.allclose(vectors.norm(dim=1), torch.ones(4), atol=1e-6)


def test_different_rows_get_different_outputs(model, texts, regions):
    for values in outputs(model, texts, regions):
        gaps = torch.cdist(values.reshape(4, -1), values.reshape(4, -1)) + torch.eye(4)
        assert gaps.min() > 1e-4


def test_padding_changes_no_output(model, texts, regions):
    tags = regions.tags and TextBatch(padded(regions.tags.token_ids, 2, 17), padded(regions.tags.mask, 2, False))
    wider = (
        TextBatch(padded(texts.token_ids, 4, 17), padded(texts.mask, 4, False)),
        RegionBatch(
            padded(regions.features, 3, 1e4), padded(regions.boxes, 3, 0.5), padded(regions.mask, 3, False), tags
        ),
    )
    for expected, found in zip(outputs(model, texts, regions), outputs(model, *wider), strict=True):
        torch.testing.assert_close(found, expected, **CLOSE)


def test_a_padded_row_gets_the_output_of_the_row_alone(model, texts, regions):
    together = outputs(model, texts, regions)
    for row in range(4):
        text, image = rows_of(texts, regions, [row])
        text = TextBatch(text.token_ids[:, text.mask[0]], text.mask[:, text.mask[0]])
        kept = image.mask[0]
        tags = image.tags and TextBatch(
            image.tags.token_ids[:, image.tags.mask[0]], image.tags.mask[:, image.tags.mask[0]]
        )
        image = RegionBatch(image.features[:, kept], image.boxes[:, kept], image.mask[:, kept], tags)
        for expected, found in zip(together, outputs(model, text, image), strict=True):
            torch.testing.assert_close(found[0], expected[row], **CLOSE)


def test_batch_order_changes_no_output(model, texts, regions):
    order = [2, 0, 3, 1]
    for expected, found in zip(
        outputs(model, texts, regions), outputs(model, *rows_of(texts, regions, order)), strict=True
    ):
        torch.testing.assert_close(found, expected[order], **CLOSE)


def test_regions_embedded_once_read_as_regions(model, texts, regions):
    with torch.no_grad():
        embedded = EmbeddedRegions(model.embed_regions(regions), regions.mask, regions.tags)
    for expected, found in zip(outputs(model, texts, regions), outputs(model, texts, embedded), strict=True):
        torch.testing.assert_close(found, expected, **CLOSE)
    rows = torch.tensor([1, 1, 3, 0])
    several = outputs(model, texts, embedded.take(rows))[2]
    expected = outputs(model, texts, rows_of(texts, regions, rows.tolist())[1])[2]
    torch.testing.assert_close(several, expected, **CLOSE)


def test_scores_are_the_log_odds_of_the_whole_network(model, texts, regions):
    with torch.no_grad():
        states, _ = model.hidden_states(texts, regions)
        logits = model.head(model.pooler(states[-1]))
        torch.testing.assert_close(model.logits_pairs(texts, regions), logits, **CLOSE)
        torch.testing.assert_close(model.score_pairs(texts, regions), logits[:, 1] - logits[:, 0], **CLOSE)


def test_every_weight_of_the_network_learns_from_the_joint_objectives(model, texts, regions):
    similarity = (model.encode_text(texts) * model.encode_image(regions)).sum()
    (similarity + model.score_pairs(texts, regions).square().sum()).backward()
    untouched = [name for name, value in model.named_parameters() if value.grad is None or not value.grad.any()]
    assert untouched == []


def test_save_then_load_is_the_identity(model, texts, regions, tmp_path):
    save_model(model, tmp_path)
    loaded = load_model(tmp_path)
    assert loaded.config == model.config
    assert not loaded.training
    for expected, found in zip(outputs(model, texts, regions), outputs(loaded, texts, regions), strict=True):
        assert torch.equal(found, expected)
    again = tmp_path / "again"
    again.mkdir()
    save_model(loaded, again)
    for name in ("model.json", "model.safetensors"):
        assert (again / name).read_bytes() == (tmp_path / name).read_bytes()


def test_one_seed_gives_one_model_and_leaves_the_global_generator_alone(make_model):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, second = make_model(embedder="uniter"), make_model(embedder="uniter")
    assert torch.equal(torch.rand(3), expected)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])


def test_a_pair_needs_one_text_for_each_image(model, texts, regions):
    with pytest.raises(ValueError, match="3 texts for 4 images"):
        model.score_pairs(rows_of(texts, regions, [0, 1, 2])[0], regions)
