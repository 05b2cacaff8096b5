from dataclasses import replace

import numpy as np
import pytest
import torch
from toy import model, training_data

from reranksmart.families import single_stream
from reranksmart.models.int8 import Int8Linear
from reranksmart.models.reduced import chosen_precision, in_precision
from reranksmart.ranking.encoding import EmbeddedImages, encode_captions, encode_images, images_for_pairs, read_ahead
from reranksmart.ranking.reranking import score_pairs

DATA, MODEL = training_data(20), model().eval()
with torch.no_grad():  # as spread as a trained model's scores, not the near equal ones of fresh weights
    for weights in MODEL.parameters():
        weights.mul_(6 if weights.ndim == 2 else 1)
ROWS = np.divmod(np.arange(400), 20)
ERROR = {"bfloat16": 0.05, "int8": 0.1}  # of the spread of the float32 scores


@pytest.mark.parametrize("precision", list(ERROR))
def test_fewer_bits_move_scores_and_vectors_by_little(precision):
    reduced = in_precision(MODEL, precision)
    exact = score_pairs(MODEL, DATA.tokens, DATA.regions, *ROWS)
    found = score_pairs(reduced, DATA.tokens, EmbeddedImages.of(reduced, DATA.regions), *ROWS)
    assert found.dtype == np.float32
    assert 0 < np.abs(found - exact).std() < ERROR[precision] * exact.std()
    for encode, inputs in ((encode_captions, DATA.tokens), (encode_images, DATA.regions)):
        ids = (DATA.captions.ids,) if encode is encode_captions else ()
        few, all_bits = encode(reduced, inputs, *ids).vectors, encode(MODEL, inputs, *ids).vectors
        assert 0 < np.abs(few - all_bits).max() < 0.05
        np.testing.assert_allclose(np.linalg.norm(few, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("precision", list(ERROR))
def test_fewer_bits_leave_the_given_model_as_it_was(precision):
    before = {name: tensor.clone() for name, tensor in MODEL.state_dict().items()}
    in_precision(MODEL, precision)
    after = MODEL.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
def test_a_score_does_not_depend_on_its_batch(precision):
    reduced = in_precision(MODEL, precision)
    alone, together = (
        score_pairs(reduced, DATA.tokens, DATA.regions, *ROWS, token_budget=budget) for budget in (1, 100_000)
    )
    np.testing.assert_allclose(alone, together, atol=1e-5 if precision == "float32" else 2e-2)


def test_an_integer_product_is_that_of_the_rounded_numbers():
    layer = torch.nn.Linear(40, 24)
    rows = torch.randn(3, 5, 40) * torch.logspace(-3, 3, 5)[:, None]
    with torch.inference_mode():
        exact, found = layer(rows), Int8Linear(layer)(rows)
    error = (found - exact).abs().amax(dim=-1) / rows.abs().amax(dim=-1)
    assert error.max() < 40 * 2 * layer.weight.abs().max() / (2 * 127) / 4
    assert error.max() > 0
    assert torch.equal(Int8Linear(layer)(rows[:1, :2]), found[:1, :2])


def test_a_row_of_zeros_stays_the_bias():
    layer = torch.nn.Linear(8, 4)
    assert torch.equal(Int8Linear(layer)(torch.zeros(2, 8)), layer.bias.expand(2, 4))


def test_float32_is_the_model_itself_and_small_models_stay_so():
    assert in_precision(MODEL, "float32") is MODEL
    assert chosen_precision(MODEL, "auto") == "float32"


@pytest.mark.parametrize(
    ("has_amx", "has_bf16", "chosen"),
    [(True, False, "bfloat16"), (False, True, "bfloat16"), (False, False, "float32")],
)
def test_auto_is_bfloat16_for_wide_models_where_the_processor_multiplies_it(monkeypatch, has_amx, has_bf16, chosen):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: has_amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_bf16)
    wide = single_stream(replace(MODEL.config, hidden_size=512))
    assert chosen_precision(wide, "auto") == chosen


def test_an_unknown_precision_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'float64'.*bfloat16"):
        in_precision(MODEL, "float64")


@pytest.mark.parametrize("cached_layers", [0, 1])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_regions_too_many_to_hold_are_read_with_each_pair_and_score_the_same(cached_layers, precision):
    reader = in_precision(MODEL.with_cached_layers(cached_layers), precision)
    held, read = images_for_pairs(reader, DATA.regions), images_for_pairs(reader, DATA.regions, most_bytes=10)
    assert isinstance(held, EmbeddedImages)
    assert read is DATA.regions
    scores = [score_pairs(reader, DATA.tokens, images, *ROWS) for images in (held, read)]
    np.testing.assert_allclose(*scores, atol=1e-5 if precision == "float32" else 2e-2)


def test_reading_ahead_keeps_order_and_passes_errors_on():
    batches = [np.array([n]) for n in range(5)]
    assert [(int(rows[0]), double) for rows, double in read_ahead(batches, lambda rows: 2 * int(rows[0]))] == [
        (n, 2 * n) for n in range(5)
    ]
    assert list(read_ahead([], lambda rows: rows)) == []
    with pytest.raises(ZeroDivisionError):
        list(read_ahead(batches, lambda rows: 1 // (3 - int(rows[0]))))
