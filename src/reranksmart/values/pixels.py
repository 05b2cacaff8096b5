"""Pictures as patches, and what a vision tower made of them: padded tensors with masks, as models read them."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


def _require_mask(mask: Tensor, values: Tensor, name: str) -> None:
    if mask.dtype != torch.bool or values.ndim != 3 or mask.shape != values.shape[:2]:
        raise ValueError(
            f"{name} needs values (B, N, F) and a bool mask (B, N), got {tuple(values.shape)} and "
            f"{mask.dtype} {tuple(mask.shape)}; build it with the store that holds the images"
        )


@dataclass(frozen=True)
class PixelBatch:
    """Processed pictures cut into square patches (B, P, 3 s²) float32, their mask (B, P) bool and grids (B, 2) int64.

    A patch is s x s pixels of 3 channels, the channels of one pixel side by side; patches run row by row. ``grids``
    are the rows and columns of patches of each picture, whose product is the number of its real patches.
    """

    patches: Tensor
    mask: Tensor
    grids: Tensor

    def __post_init__(self) -> None:
        _require_mask(self.mask, self.patches, "PixelBatch")
        if self.grids.shape != (len(self.patches), 2):
            raise ValueError(f"PixelBatch needs grids ({len(self.patches)}, 2), got {tuple(self.grids.shape)}")

    def __len__(self) -> int:
        return len(self.patches)

    def to(self, device: torch.device | str) -> "PixelBatch":
        return PixelBatch(self.patches.to(device), self.mask.to(device), self.grids.to(device))


@dataclass(frozen=True)
class VisionStates:
    """The last states (B, S, H) of a vision tower and their mask (B, S) bool: made once, read with many captions."""

    states: Tensor
    mask: Tensor

    def __post_init__(self) -> None:
        _require_mask(self.mask, self.states, "VisionStates")

    def __len__(self) -> int:
        return len(self.states)

    def to(self, device: torch.device | str) -> "VisionStates":
        return VisionStates(self.states.to(device), self.mask.to(device))


def patches_of(picture: Tensor, side: int) -> Tensor:
    """The patches (P, 3 s²) of a picture (3, H, W) whose height and width are multiples of ``side``, row by row."""
    channels, height, width = picture.shape
    if height % side or width % side:
        raise ValueError(f"a picture of {height} x {width} pixels has no whole patches of {side}; choose a divisor")
    cut = picture.reshape(channels, height // side, side, width // side, side)
    return cut.permute(1, 3, 2, 4, 0).reshape(-1, side * side * channels)


def pictures_of(batch: PixelBatch) -> tuple[Tensor, Tensor]:
    """Pictures (B, 3, H, W) float32, zero right of and below the smaller ones, and their mask (B, H, W) bool."""
    side = math.isqrt(batch.patches.shape[2] // 3)
    rows, columns = batch.grids.amax(dim=0).tolist()
    pictures = batch.patches.new_zeros(len(batch), 3, rows * side, columns * side)
    mask = torch.zeros(len(batch), rows * side, columns * side, dtype=torch.bool, device=batch.mask.device)
    for number, (height, width) in enumerate(batch.grids.tolist()):
        cut = batch.patches[number, : height * width].reshape(height, width, side, side, 3)
        whole = cut.permute(4, 0, 2, 1, 3).reshape(3, height * side, width * side)
        pictures[number, :, : height * side, : width * side] = whole
        mask[number, : height * side, : width * side] = True
    return pictures, mask
