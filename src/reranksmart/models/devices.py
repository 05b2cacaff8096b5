"""Where models compute."""

from __future__ import annotations

import torch


def fastest_device() -> torch.device:
    """The first GPU where torch sees one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
