"""Pictures as patches, and what a vision tower made of them: padded tensors with masks, as models read them."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from reranksmart.values.padded import Padded


@dataclass(frozen=True)
class PixelBatch(Padded):
    """Processed pictures cut into square patches (B, P, 3 s²) float32, their mask (B, P) bool and grids (B, 2) int64.

    A patch is s x s pixels of 3 channels, the channels of one pixel side by side; patches run row by row. ``grids``
    are the rows and columns of patches of each picture, whose product is the number of its real patches.
    """

    patches: Tensor
    mask: Tensor
    grids: Tensor

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.grids.shape != (len(self.patches), 2):
            raise ValueError(f"PixelBatch needs grids ({len(self.patches)}, 2), got {tuple(self.grids.shape)}")


@dataclass(frozen=True)
class VisionStates(Padded):
    """The last states (B, S, H) of a vision tower and their mask (B, S) bool: made once, read with many captions."""

    states: Tensor
    mask: Tensor


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
