"""Which weights decay, the published optimiser's rule, and the learning rate of each step."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn


def parameter_groups(model: nn.Module, *, weight_decay: float) -> list[dict[str, Any]]:
    """All trainable parameters in two groups: decayed, and biases with every LayerNorm, which are not."""
    exempt = {
        id(parameter)
        for module in model.modules()
        for name, parameter in module.named_parameters(recurse=False)
        if name == "bias" or isinstance(module, nn.LayerNorm)
    }
    return _two_groups(((id(p) not in exempt, p) for p in model.parameters()), weight_decay)


def reference_parameter_groups(
    named_parameters: Iterable[tuple[str, nn.Parameter]], *, weight_decay: float
) -> list[dict[str, Any]]:
    """The two groups of the published training code, which goes by the published *names*.

    Only names with ``bias`` or ``LayerNorm.weight`` in them are exempt, so that most of M3P's and UNITER's LayerNorm
    weights decay.
    """
    exempt = ("bias", "LayerNorm.weight")
    return _two_groups(((not any(part in name for part in exempt), p) for name, p in named_parameters), weight_decay)


def _two_groups(parameters: Iterable[tuple[bool, nn.Parameter]], weight_decay: float) -> list[dict[str, Any]]:
    decayed: list[nn.Parameter] = []
    exempt: list[nn.Parameter] = []
    for decays, parameter in parameters:
        if parameter.requires_grad:
            (decayed if decays else exempt).append(parameter)
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": exempt, "weight_decay": 0.0}]


class ReferenceAdamW(torch.optim.Optimizer):
    """AdamW as ``transformers`` had it, which the published models were trained with.

    Unlike ``torch.optim.AdamW`` it adds ``eps`` to the root of the second moment before the bias correction, and
    decays the weights after the step.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor] | Iterable[dict[str, Any]],
        *,
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One update; parameters without a gradient are left alone, weight decay included."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)

    def _update(self, parameter: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state.update(step=0, mean=torch.zeros_like(parameter), square=torch.zeros_like(parameter))
        state["step"] += 1
        rate, (beta1, beta2) = group["lr"], group["betas"]
        state["mean"].mul_(beta1).add_(parameter.grad, alpha=1 - beta1)
        state["square"].mul_(beta2).addcmul_(parameter.grad, parameter.grad, value=1 - beta2)
        correction = math.sqrt(1 - beta2 ** state["step"]) / (1 - beta1 ** state["step"])
        parameter.addcdiv_(state["mean"], state["square"].sqrt().add_(group["eps"]), value=-rate * correction)
        if group["weight_decay"]:
            parameter.mul_(1 - rate * group["weight_decay"])


def linear_schedule(
    optimiser: torch.optim.Optimizer, *, steps: int, warmup_steps: int = 0
) -> torch.optim.lr_scheduler.LambdaLR:
    """The learning rate rising from 0 over ``warmup_steps``, then falling linearly to 0 at ``steps``.

    ValueError unless 0 <= warmup_steps < steps.
    """
    if not 0 <= warmup_steps < steps:
        raise ValueError(f"warmup_steps {warmup_steps} is outside 0..{steps - 1}, the steps of the training; lower it")

    def share(step: int) -> float:
        if step < warmup_steps:
            return step / warmup_steps
        return max(0.0, (steps - step) / (steps - warmup_steps))

    return torch.optim.lr_scheduler.LambdaLR(optimiser, share)
