"""Which weights decay, the reference optimiser by hand, and the learning rate of each step."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from reranksmart.families import single_stream
from reranksmart.models.published_names import published_parameters
from reranksmart.models.single_stream import SingleStream
from reranksmart.models.single_stream_config import SingleStreamConfig
from reranksmart.training.optimisation import (
    ReferenceAdamW,
    linear_schedule,
    parameter_groups,
    reference_parameter_groups,
)


def network(embedder: str) -> SingleStream:
    return single_stream(
        SingleStreamConfig(
            embedder=embedder,
            vocab_size=20,
            cls_id=2,
            sep_id=3,
            pad_id=0,
            hidden_size=8,
            layers=2,
            heads=2,
            intermediate_size=12,
            max_positions=16,
            feature_size=4,
            image_layer_norm_eps=1e-12,
        )
    )


def decayed_names(model, groups) -> set[str]:
    decayed = {id(parameter) for parameter in groups[0]["params"]}
    return {name for name, parameter in model.named_parameters() if id(parameter) in decayed}


def norm_weights(model) -> set[str]:
    return {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.LayerNorm)}


@pytest.mark.parametrize("embedder", ["oscar", "uniter", "m3p"])
def test_biases_and_every_layer_norm_are_exempt_from_decay(embedder):
    model = network(embedder)
    groups = parameter_groups(model, weight_decay=0.05)
    assert [group["weight_decay"] for group in groups] == [0.05, 0.0]
    everything = {name for name, _ in model.named_parameters()}
    biases = {name for name in everything if name.endswith("bias")}
    assert decayed_names(model, groups) == everything - biases - norm_weights(model)
    assert sum(len(group["params"]) for group in groups) == len(everything)


@pytest.mark.parametrize(
    ("embedder", "decayed_norms"),
    [
        ("oscar", set()),
        ("uniter", {"embedder.image_norm.weight", "embedder.location_norm.weight"}),
        (
            "m3p",
            {"embedder.norm.weight"}
            | {
                f"encoder.layer.{layer}.{part}.weight"
                for layer in (0, 1)
                for part in ("attention.output.LayerNorm", "output.LayerNorm")
            },
        ),
    ],
)
def test_the_reference_groups_decay_the_layer_norms_that_the_authors_code_decays(embedder, decayed_norms):
    model = network(embedder)
    groups = reference_parameter_groups(published_parameters(model), weight_decay=0.05)
    assert decayed_names(model, groups) & norm_weights(model) == decayed_norms


def test_frozen_parameters_are_left_out():
    model = network("oscar")
    model.embedder.requires_grad_(False)
    names = decayed_names(model, parameter_groups(model, weight_decay=0.05))
    assert not any(name.startswith("embedder.") for name in names)


def test_two_steps_of_the_reference_optimiser_by_hand():
    weight = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    optimiser = ReferenceAdamW([weight], lr=0.1, eps=0.5, weight_decay=0.2)
    value, mean, square = 2.0, 0.0, 0.0
    for step, gradient in enumerate((3.0, -1.0), start=1):
        weight.grad = torch.tensor([gradient], dtype=torch.float64)
        optimiser.step()
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        rate = 0.1 * math.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        value -= rate * mean / (math.sqrt(square) + 0.5)
        value -= 0.1 * 0.2 * value
        assert weight.item() == pytest.approx(value, rel=1e-12)


def test_the_reference_optimiser_leaves_weights_without_gradient_alone():
    weight = nn.Parameter(torch.ones(3))
    ReferenceAdamW([weight], lr=0.1, weight_decay=0.5).step()
    assert torch.equal(weight, torch.ones(3))


def test_a_reference_optimiser_resumed_from_its_state_goes_on_as_if_never_stopped(tmp_path):
    def steps(weight, optimiser, gradients):
        for gradient in gradients:
            weight.grad = torch.full((3,), gradient)
            optimiser.step()

    whole = nn.Parameter(torch.ones(3))
    steps(whole, ReferenceAdamW([whole], lr=0.1), [1.0, -2.0, 0.5])
    first = nn.Parameter(torch.ones(3))
    optimiser = ReferenceAdamW([first], lr=0.1)
    steps(first, optimiser, [1.0, -2.0])
    torch.save(optimiser.state_dict(), tmp_path / "state.pt")
    second = nn.Parameter(first.detach().clone())
    resumed = ReferenceAdamW([second], lr=0.1)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    steps(second, resumed, [0.5])
    assert torch.equal(second, whole)


def rates(*, steps: int, warmup_steps: int) -> list[float]:
    optimiser = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1.0)
    schedule = linear_schedule(optimiser, steps=steps, warmup_steps=warmup_steps)
    found = []
    for _ in range(steps + 2):
        found.append(schedule.get_last_lr()[0])
        optimiser.step()
        schedule.step()
    return found


def test_the_learning_rate_rises_then_falls_linearly_to_zero():
    assert rates(steps=6, warmup_steps=2) == pytest.approx([0, 0.5, 1, 0.75, 0.5, 0.25, 0, 0])
    assert rates(steps=4, warmup_steps=0) == pytest.approx([1, 0.75, 0.5, 0.25, 0, 0])


@pytest.mark.parametrize("warmup_steps", [-1, 6, 9])
def test_a_warmup_outside_the_training_is_refused(warmup_steps):
    with pytest.raises(ValueError, match=f"warmup_steps {warmup_steps} is outside 0..5"):
        rates(steps=6, warmup_steps=warmup_steps)
