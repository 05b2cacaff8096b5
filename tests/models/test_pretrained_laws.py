"""What must hold for every backbone of transformers, whatever it reads."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from pretrained_inputs import Images, images_for, make, outputs, words
from small_networks import CLASSES
from torch import Tensor

from reranksmart.families import load_model
from reranksmart.models.checkpoints import save_model
from reranksmart.models.interface import BiEncoder, CrossEncoder, StatesEncoder
from reranksmart.models.pretrained import Pretrained
from reranksmart.values.batches import TextBatch, pad_tokens
from reranksmart.values.pixels import VisionStates

CLOSE = {"atol": 2e-6, "rtol": 1e-4}
CROSS_ENCODERS = {"blip", "blip2", "vilt", "bridgetower", "visualbert", "lxmert"}
BI_ENCODERS = CROSS_ENCODERS | {"clip", "siglip", "siglip2_naflex"}
STATES_ENCODERS = {"blip", "blip2", "lxmert"}


VARIANTS = {name: (name, {}) for name in CLASSES} | {
    f"{name} with cosine": (name, {"score": "match_logit_plus_cosine"}) for name in ("blip", "blip2")
}


def variants_of(names: set[str]) -> list[str]:
    return [variant for variant, (name, _) in VARIANTS.items() if name in names]


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.no_grad():
        yield


@pytest.fixture(params=VARIANTS, ids=list(VARIANTS))
def model(request) -> Pretrained:
    name, settings = VARIANTS[request.param]
    return make(name, **settings)


@pytest.fixture
def images(model) -> Images:
    return images_for(model)


@pytest.fixture
def texts(model) -> TextBatch:
    return words()


def changed(batch, change):
    """A batch with each of its tensors changed by name."""
    tensors = {name: value for name, value in vars(batch).items() if value is not None}
    return replace(batch, **{name: change(name, value) for name, value in tensors.items()})


def rows_of(batch, rows: list[int]):
    return changed(batch, lambda _, value: value[rows])


def padded(batch, columns: int, filling: float):
    """The batch with more columns that are no real ones; an image's grid stays as it is."""

    def widen(name: str, values: Tensor) -> Tensor:
        if name == "grids":
            return values
        value = False if name == "mask" else filling
        extra = torch.full((values.shape[0], columns, *values.shape[2:]), value, dtype=values.dtype)
        return torch.cat([values, extra], dim=1)

    return changed(batch, widen)


def unpadded(batch):
    """A batch of one row without its padding."""
    return changed(batch, lambda name, value: value if name == "grids" else value[:, batch.mask[0]])


def assert_close(found: list[Tensor], expected: list[Tensor]) -> None:
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, **CLOSE)


@pytest.mark.parametrize("name", CLASSES)
def test_a_model_claims_the_protocols_whose_methods_it_has(name):
    model = make(name)
    assert isinstance(model, BiEncoder) == (name in BI_ENCODERS)
    assert isinstance(model, CrossEncoder) == (name in CROSS_ENCODERS)
    assert isinstance(model, StatesEncoder) == (name in STATES_ENCODERS)


def test_embeddings_have_length_one(model, texts, images):
    for vectors in outputs(model, texts, images):
        if vectors.ndim == 2:
            assert torch.allclose(vectors.norm(dim=1), torch.ones(4), atol=1e-6)


def test_different_rows_get_different_outputs(model, texts, images):
    for values in outputs(model, texts, images):
        gaps = torch.cdist(values.reshape(4, -1), values.reshape(4, -1)) + torch.eye(4)
        assert gaps.min() > 2e-5


def test_padding_changes_no_output(model, texts, images):
    expected = outputs(model, texts, images)
    assert_close(outputs(model, padded(texts, 4, 17), padded(images, 3, 0.5)), expected)


def test_a_padded_row_gets_the_output_of_the_row_alone(model, texts, images):
    together = outputs(model, texts, images)
    for row in range(4):
        text, image = unpadded(rows_of(texts, [row])), unpadded(rows_of(images, [row]))
        assert_close(outputs(model, text, image), [values[[row]] for values in together])


def test_batch_order_changes_no_output(model, texts, images):
    order = [2, 0, 3, 1]
    expected = [values[order] for values in outputs(model, texts, images)]
    assert_close(outputs(model, rows_of(texts, order), rows_of(images, order)), expected)


@pytest.mark.parametrize("model", variants_of(CROSS_ENCODERS), indirect=True)
def test_a_score_depends_on_the_text_and_on_the_image(model, texts, images):
    scores = model.score_pairs(texts, images)
    for other in (
        model.score_pairs(rows_of(texts, [1, 2, 3, 0]), images),
        model.score_pairs(texts, rows_of(images, [1, 2, 3, 0])),
    ):
        assert (other - scores).abs().min() > 1e-4


@pytest.mark.parametrize("model", variants_of(STATES_ENCODERS), indirect=True)
def test_stored_vision_states_read_as_the_images(model, texts, images):
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


def test_reading_draws_no_random_number(model, texts, images):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    outputs(model, texts, images)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("model", variants_of(CROSS_ENCODERS), indirect=True)
def test_a_pair_needs_one_text_for_each_image(model, texts, images):
    with pytest.raises(ValueError, match="3 texts for 4 images"):
        model.score_pairs(rows_of(texts, [0, 1, 2]), images)


@pytest.mark.parametrize("model", ["visualbert", "lxmert"], indirect=True)
def test_region_features_of_another_width_are_refused(model, images):
    wider = replace(images, features=torch.cat([images.features, images.features], dim=2))
    with pytest.raises(ValueError, match="reads region features of 12 values, these have 24"):
        model.encode_image(wider)


def test_a_text_beyond_the_positions_is_refused(model):
    long = pad_tokens([[58, *[9] * 20, 59]])
    with pytest.raises(ValueError, match="lower max_tokens"):
        model.texts_on_device(long)
