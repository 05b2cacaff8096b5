"""Fine-tuning moves the weights that it says, and changes what it says and no more."""

from __future__ import annotations

import pytest
import torch
from pretrained_inputs import images_for, make, outputs, words
from small_networks import CLASSES
from torch import Tensor

from reranksmart.families import load_model
from reranksmart.models.checkpoints import save_model
from reranksmart.models.pretrained import Pretrained
from reranksmart.models.tuning import add_adapters, checkpoint_activations, freeze_towers, without_adapters

CLOSE = {"atol": 2e-6, "rtol": 1e-4}
TOWERS = [(name, tower) for name, kind in CLASSES.items() for tower in kind.towers]
UNADAPTED = {"bridgetower": [1]}
"""Readings that no adapter changes: BridgeTower's vision tower is of torch's own attention."""
CHECKPOINTED = [name for name in CLASSES if name not in ("bridgetower", "lxmert")]


def readings(model: Pretrained) -> list[Tensor]:
    return outputs(model, words(), images_for(model))


def gradients(model: Pretrained) -> dict[str, Tensor]:
    """The gradient of each weight that gets one, for a loss in which every number of every reading counts."""
    draw = torch.Generator().manual_seed(6)
    loss = torch.stack([(found * torch.randn(found.shape, generator=draw)).sum() for found in readings(model)]).sum()
    model.zero_grad()
    loss.backward()
    return {name: value.grad for name, value in model.named_parameters() if value.grad is not None}


@pytest.mark.parametrize(("name", "tower"), TOWERS)
def test_a_frozen_tower_gets_no_gradient_and_the_rest_gets_the_same(name, tower):
    expected = gradients(make(name))
    model = make(name)
    freeze_towers(model, [tower])
    found = gradients(model)
    starts = tuple(f"network.{start}" for start in CLASSES[name].towers[tower])
    for start in starts:
        assert any(key.startswith(start) for key in expected), start
    assert set(found) == {key for key in expected if not key.startswith(starts)}
    for key, value in found.items():
        torch.testing.assert_close(value, expected[key], msg=key, **CLOSE)


def test_a_tower_that_a_family_lacks_is_refused_with_those_it_has():
    with pytest.raises(ValueError, match=r"blip has no tower 'audio'; it has \['text', 'vision'\]"):
        freeze_towers(make("blip"), ["audio"])
    with pytest.raises(ValueError, match="vilt has no tower 'vision'; it has none"):
        freeze_towers(make("vilt"), ["vision"])


@pytest.mark.parametrize("name", CLASSES)
def test_adapters_change_nothing_at_first_and_only_they_and_the_heads_move(name):
    model = make(name)
    with torch.no_grad():
        expected = readings(model)
        add_adapters(model, rank=2, alpha=4)
        for found, value in zip(readings(model), expected, strict=True):
            torch.testing.assert_close(found, value, **CLOSE)
    moving = {key.removeprefix("network.") for key, value in model.named_parameters() if value.requires_grad}
    assert all(".lora_" in key or key.startswith(model.heads) for key in moving)
    for head in model.heads:
        assert any(key.startswith(head) for key in moving), head


@pytest.mark.parametrize("name", CLASSES)
def test_an_adapter_is_read_wherever_the_weight_that_it_adapts_is(name):
    expected = gradients(make(name))
    model = make(name)
    add_adapters(model, rank=2, alpha=4)
    found = gradients(model)
    adapted = [key for key, _ in model.named_parameters() if ".lora_B." in key]
    read = [key for key in adapted if key.replace(".lora_B.default.", ".") in expected]
    assert len(read) >= len(adapted) - 3  # LXMERT's last layer makes states of regions that nothing reads
    for key in read:
        assert found[key].any(), key


def test_adapters_are_drawn_from_the_seed_and_leave_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, same, other = make("clip"), make("clip"), make("clip")
    for model, seed in (first, 1), (same, 1), (other, 2):
        add_adapters(model, rank=2, alpha=4, seed=seed)
    assert torch.equal(torch.rand(3), expected)
    drawn = [[value for key, value in model.named_parameters() if ".lora_A." in key] for model in (first, same, other)]
    assert all(map(torch.equal, drawn[0], drawn[1]))
    assert not any(map(torch.equal, drawn[0], drawn[2]))


def test_a_frozen_tower_gets_no_adapters():
    model = make("clip")
    freeze_towers(model, ["vision"])
    add_adapters(model, rank=2, alpha=4)
    adapted = [key for key, _ in model.network.named_parameters() if ".lora_" in key]
    assert adapted
    assert all(key.startswith("text_model.") for key in adapted)


def test_adapters_without_a_projection_to_adapt_are_refused():
    model = make("clip")
    freeze_towers(model, ["vision", "text"])
    with pytest.raises(ValueError, match="freeze fewer towers"):
        add_adapters(model, rank=2, alpha=4)


@pytest.mark.parametrize("name", CLASSES)
def test_a_saved_model_with_adapters_is_plain_and_reads_the_same(name, tmp_path):
    model = make(name)
    plain_names = list(model.state_dict())
    before = readings(model)
    add_adapters(model, rank=2, alpha=4)
    draw = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for key, value in model.named_parameters():
            if ".lora_B." in key:
                value.normal_(std=0.2, generator=draw)
        expected = readings(model)
        save_model(model, tmp_path)
        loaded = load_model(tmp_path)
        assert list(loaded.state_dict()) == plain_names
        for key, value in without_adapters(model).state_dict().items():
            assert torch.equal(loaded.state_dict()[key], value), key
        changed = []
        for found, value, old in zip(readings(loaded), expected, before, strict=True):
            torch.testing.assert_close(found, value, atol=2e-5, rtol=1e-3)
            changed.append(bool((value - old).abs().max() > 1e-3))
        assert changed == [number not in UNADAPTED.get(name, ()) for number in range(len(changed))]
        assert any(".lora_" in key for key, _ in model.named_parameters())  # training goes on


def test_a_model_without_adapters_is_itself():
    model = make("blip")
    assert without_adapters(model) is model


@pytest.mark.parametrize("name", CHECKPOINTED)
def test_checkpointed_activations_give_the_same_gradients_and_hold_fewer_numbers(name):
    plain, model = make(name).train(), make(name).train()
    checkpoint_activations(model)
    expected, held = _held_in(plain)
    found, held_fewer = _held_in(model)
    assert found.keys() == expected.keys()
    for key, value in found.items():
        torch.testing.assert_close(value, expected[key], msg=key, **CLOSE)
    assert held_fewer < held * 0.7


@pytest.mark.parametrize("name", CHECKPOINTED)
def test_checkpoints_and_adapters_go_together(name):
    plain, checkpointed = make(name), make(name)
    for model in (plain, checkpointed):
        add_adapters(model, rank=2, alpha=4)
    checkpoint_activations(checkpointed)
    expected, (found, _) = _held_in(plain)[0], _held_in(checkpointed)
    assert set(found) == set(expected)
    for key, value in found.items():
        torch.testing.assert_close(value, expected[key], msg=key, **CLOSE)


def _held_in(model: Pretrained) -> tuple[dict[str, Tensor], int]:
    """The gradients of a step with dropout, and the numbers that it held for its backward pass."""
    held = 0

    def count(value: Tensor) -> Tensor:
        nonlocal held
        held += value.numel()
        return value

    torch.manual_seed(8)
    with torch.autograd.graph.saved_tensors_hooks(count, lambda value: value):
        draw = torch.Generator().manual_seed(6)
        loss = torch.stack([(got * torch.randn(got.shape, generator=draw)).sum() for got in readings(model)]).sum()
    loss.backward()
    return {name: value.grad for name, value in model.named_parameters() if value.grad is not None}, held


@pytest.mark.parametrize("name", sorted(set(CLASSES) - set(CHECKPOINTED)))
def test_a_network_that_transformers_cannot_checkpoint_is_refused(name):
    with pytest.raises(ValueError, match=f"cannot checkpoint the gradients of {name}"):
        checkpoint_activations(make(name))


@pytest.mark.parametrize("name", CLASSES)
def test_under_autocast_outputs_and_gradients_are_float32_and_near(name):
    model = make(name)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.div_(3 if parameter.ndim > 1 else 1)  # rounding is not to be magnified
    expected, exact = readings(model), gradients(model)
    with torch.autocast("cpu", torch.bfloat16):
        found, rounded = readings(model), gradients(model)
    for value, other in zip(found, expected, strict=True):
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, other, atol=0.03, rtol=0.03)
    assert rounded.keys() == exact.keys()
    whole = [torch.cat([part.flatten() for part in parts.values()]) for parts in (rounded, exact)]
    assert all(value.dtype == torch.float32 for value in rounded.values())
    assert torch.cosine_similarity(*whole, dim=0) > 0.98


@pytest.mark.parametrize("name", [name for name in CLASSES if name not in ("clip", "siglip", "siglip2_naflex")])
def test_log_odds_keep_their_digits_under_autocast(name):
    model = make(name)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        scores = readings(model)[-1]
    assert scores.dtype == torch.float32
    assert not torch.equal(scores, scores.bfloat16().float())
