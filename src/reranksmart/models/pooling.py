"""One vector of many states."""

from torch import Tensor
from torch.nn.functional import normalize


def mean_direction(states: Tensor, mask: Tensor) -> Tensor:
    """The mean (B, H) float32 of each row's real states (B, L, H), scaled to length 1."""
    states = states.float()
    weights = mask[..., None].to(states.dtype)
    return normalize((states * weights).sum(dim=1) / weights.sum(dim=1), dim=-1)
