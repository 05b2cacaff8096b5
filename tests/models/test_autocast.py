"""Published models in bfloat16: nearly the same readings, and the same roles."""

from __future__ import annotations

import pytest
import torch
from pretrained_inputs import make, pixels, words

from reranksmart.models.interface import BiEncoder, CrossEncoder, StatesEncoder
from reranksmart.models.reduced import in_precision

TEXTS, IMAGES = words(), pixels([(4, 4)] * 4)
ROLES = (BiEncoder, CrossEncoder, StatesEncoder)


@pytest.mark.parametrize("name", ["clip", "siglip", "blip"])
def test_bfloat16_embeds_nearly_alike_and_keeps_the_roles(name):
    model = make(name)
    reduced = in_precision(model, "bfloat16")
    assert [isinstance(reduced, role) for role in ROLES] == [isinstance(model, role) for role in ROLES]
    with torch.no_grad():
        for whole, half in (
            (model.encode_text(TEXTS), reduced.encode_text(TEXTS)),
            (model.encode_image(IMAGES), reduced.encode_image(IMAGES)),
        ):
            assert half.dtype == torch.float32
            assert not torch.equal(whole, half)
            torch.testing.assert_close(half, whole, atol=0.05, rtol=0)


def test_bfloat16_scores_stay_float32():
    reduced = in_precision(make("blip"), "bfloat16")
    with torch.no_grad():
        assert reduced.score_pairs(TEXTS, reduced.vision_states(IMAGES)).dtype == torch.float32


def test_float32_and_auto_are_the_model_itself_and_int8_is_refused():
    model = make("clip")
    assert in_precision(model, "float32") is in_precision(model, "auto") is model
    with pytest.raises(ValueError, match="a Clip cannot be read in int8"):
        in_precision(model, "int8")
