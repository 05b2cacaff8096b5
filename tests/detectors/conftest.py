"""The pretrained network, loaded once."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from reranksmart.regions.detectors.efficientnet import load_efficientnet


@pytest.fixture(scope="session")
def network() -> nn.Module:
    torch.set_num_threads(1)
    return load_efficientnet()
