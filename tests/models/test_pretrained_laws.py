"""What must hold for every backbone of transformers, whatever it reads."""

from __future__ import annotations

import pytest
import torch
from pretrained_inputs import make, pixels, words
from torch import Tensor

from reranksmart.batches import TextBatch, pad_tokens
from reranksmart.models.checkpoints import load_model, save_model
from reranksmart.models.families import FAMILIES
from reranksmart.models.interface import BiEncoder, CrossEncoder
from reranksmart.models.pretrained import Pretrained
from reranksmart.models.small import PATCH, SIDE
from reranksmart.pixels import PixelBatch, VisionStates

CLOSE = {"atol": 2e-6, "rtol": 1e-4}
BI_ENCODERS = {"clip", "siglip", "siglip2_naflex", "blip"}
CROSS_ENCODERS = {"blip"}
ANY_SHAPE = {"siglip2_naflex"}


VARIANTS = {name: (name, {}) for name in FAMILIES} | {
    "blip with cosine": ("blip", {"score": "log_odds_plus_cosine"}),
}


CROSS_VARIANTS = [variant for variant, (name, _) in VARIANTS.items() if name in CROSS_ENCODERS]
"""Those that score pairs, from vision states that are stored."""


@pytest.fixture(params=VARIANTS, ids=list(VARIANTS))
def model(request) -> Pretrained:
    name, settings = VARIANTS[request.param]
    return make(name, **settings)


@pytest.fixture
def images(model) -> PixelBatch:
    side = SIDE // PATCH
    ragged = [(4, 3), (2, 5), (4, 4), (1, 2)]
    return pixels(ragged if model.config.family in ANY_SHAPE else [(side, side)] * 4)


@pytest.fixture
def texts(model) -> TextBatch:
    return words()


def outputs(model, texts: TextBatch, images: PixelBatch) -> list[Tensor]:
    with torch.no_grad():
        found = [model.encode_text(texts), model.encode_image(images)] if isinstance(model, BiEncoder) else []
        return found + ([model.score_pairs(texts, images)] if isinstance(model, CrossEncoder) else [])


def rows_of(texts: TextBatch, images: PixelBatch, rows: list[int]) -> tuple[TextBatch, PixelBatch]:
    return (
        TextBatch(texts.token_ids[rows], texts.mask[rows]),
        PixelBatch(images.patches[rows], images.mask[rows], images.grids[rows]),
    )


def padded(values: Tensor, columns: int, filling: float) -> Tensor:
    extra = torch.full((values.shape[0], columns, *values.shape[2:]), filling, dtype=values.dtype)
    return torch.cat([values, extra], dim=1)


def assert_close(found: list[Tensor], expected: list[Tensor]) -> None:
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, **CLOSE)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_model_claims_the_protocols_whose_methods_it_has(name):
    model = make(name)
    assert isinstance(model, BiEncoder) == (name in BI_ENCODERS)
    assert isinstance(model, CrossEncoder) == (name in CROSS_ENCODERS)


def test_embeddings_have_length_one(model, texts, images):
    for vectors in outputs(model, texts, images):
        if vectors.ndim == 2:
            assert torch.allclose(vectors.norm(dim=1), torch.ones(4), atol=1e-6)


def test_different_rows_get_different_outputs(model, texts, images):
    for values in outputs(model, texts, images):
        gaps = torch.cdist(values.reshape(4, -1), values.reshape(4, -1)) + torch.eye(4)
        assert gaps.min() > 1e-4


def test_padding_changes_no_output(model, texts, images):
    wider = TextBatch(padded(texts.token_ids, 4, 17), padded(texts.mask, 4, False))
    more = PixelBatch(padded(images.patches, 3, 9.0), padded(images.mask, 3, False), images.grids)
    assert_close(outputs(model, wider, more), outputs(model, texts, images))


def test_a_padded_row_gets_the_output_of_the_row_alone(model, texts, images):
    together = outputs(model, texts, images)
    for row in range(4):
        text, image = rows_of(texts, images, [row])
        text = TextBatch(text.token_ids[:, text.mask[0]], text.mask[:, text.mask[0]])
        image = PixelBatch(image.patches[:, image.mask[0]], image.mask[:, image.mask[0]], image.grids)
        assert_close(outputs(model, text, image), [values[[row]] for values in together])


def test_batch_order_changes_no_output(model, texts, images):
    order = [2, 0, 3, 1]
    expected = [values[order] for values in outputs(model, texts, images)]
    assert_close(outputs(model, *rows_of(texts, images, order)), expected)


@pytest.mark.parametrize("model", CROSS_VARIANTS, indirect=True)
def test_stored_vision_states_read_as_the_pictures(model, texts, images):
    with torch.no_grad():
        states = model.vision_states(images)
    halved = VisionStates(states.states.half().float(), states.mask)
    assert_close(outputs(model, texts, states), outputs(model, texts, images))
    for found, expected in zip(outputs(model, texts, halved), outputs(model, texts, images), strict=True):
        torch.testing.assert_close(found, expected, atol=5e-3, rtol=5e-3)


def test_save_then_load_is_the_identity(model, texts, images, tmp_path):
    save_model(model, tmp_path)
    loaded = load_model(tmp_path)
    assert loaded.config == model.config
    assert not loaded.training
    for expected, found in zip(outputs(model, texts, images), outputs(loaded, texts, images), strict=True):
        assert torch.equal(found, expected)
    again = tmp_path / "again"
    again.mkdir()
    save_model(loaded, again)
    for name in ("model.json", "model.safetensors"):
        assert (again / name).read_bytes() == (tmp_path / name).read_bytes()


def test_one_seed_gives_one_model_and_leaves_the_global_generator_alone(model):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, second = make(model.config.family), make(model.config.family)
    assert torch.equal(torch.rand(3), expected)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])


@pytest.mark.parametrize("model", CROSS_VARIANTS, indirect=True)
def test_a_pair_needs_one_text_for_each_image(model, texts, images):
    with pytest.raises(ValueError, match="3 texts for 4 images"):
        model.score_pairs(rows_of(texts, images, [0, 1, 2])[0], images)


def test_a_text_beyond_the_positions_is_refused(model):
    long = pad_tokens([[58, *[9] * 20, 59]])
    with pytest.raises(ValueError, match="lower max_tokens"):
        model.texts_on_device(long)
