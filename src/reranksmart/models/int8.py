"""Products in int8 on the CPU, scaled row by row, so that a row's numbers do not depend on its neighbours."""

import copy
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

Trunk = TypeVar("Trunk", bound=nn.Module)

_LEVELS, _ZERO = 127, 128
_LEAST = 1e-12  # a row of zeros has a scale, too


class Int8Linear(nn.Module):
    """A linear layer of quantised weights that quantises each row of its input by that row's own largest value.

    The product is oneDNN's of unsigned by signed bytes, through torch's operator. Where the processor lacks VNNI it adds
    two products in 16 bits, which 8-bit weights would overflow: they have 7 bits there, and every product is exact.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weights = linear.weight.detach().float()
        levels = _LEVELS if torch.cpu._is_vnni_supported() else _LEVELS // 2
        self.scales = weights.abs().amax(dim=1).clamp_min_(_LEAST).div_(levels)  # (out,)
        whole = (weights / self.scales[:, None]).round_().to(torch.int8)  # (out, in)
        self.packed: Any = torch.ops.onednn.qlinear_prepack(whole, None)
        self.zeros = torch.zeros(len(weights), dtype=torch.int32)
        self.bias = linear.bias.detach().float()

    def forward(self, inputs: Tensor) -> Tensor:
        rows = inputs.reshape(-1, inputs.shape[-1]).float()
        scales = rows.abs().amax(dim=1, keepdim=True).clamp_min_(_LEAST).div_(_LEVELS)  # (N, 1)
        whole = (rows / scales).round_().add_(_ZERO).to(torch.uint8)
        products = torch.ops.onednn.qlinear_pointwise(
            *(whole, 1.0, _ZERO, self.packed, self.scales, self.zeros, None, 1.0, 0, torch.float32, "none", [], "")
        )
        return products.mul_(scales).add_(self.bias).reshape(*inputs.shape[:-1], -1)


def with_int8_products(module: Trunk) -> Trunk:
    """A copy of the module whose linear layers are ``Int8Linear``; all other weights are shared with it."""
    twin = copy.copy(module)
    twin._modules = {
        name: Int8Linear(child) if isinstance(child, nn.Linear) else with_int8_products(child)
        for name, child in module.named_children()
    }
    return twin
