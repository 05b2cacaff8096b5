"""Where models compute."""

import torch


def fastest_device() -> torch.device:
    """The first GPU where torch sees one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def accelerator() -> str | None:
    """The name of the GPU that models compute on, None where they compute on the CPU."""
    device = fastest_device()
    return torch.cuda.get_device_name(device) if device.type == "cuda" else None
