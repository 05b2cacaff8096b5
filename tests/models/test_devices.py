"""A model computes where it is fastest; that it computes the same there is the GPU benchmark's first question."""

from pathlib import Path

import pytest
import torch

from reranksmart.config.backbones import Reading
from reranksmart.families import load_model, single_stream
from reranksmart.models import checkpoints
from reranksmart.models.devices import accelerator, fastest_device
from reranksmart.models.published import save_published
from reranksmart.models.single_stream import SingleStream
from reranksmart.models.single_stream_config import SingleStreamConfig
from reranksmart.training import backbones


def small() -> SingleStream:
    sizes = {"hidden_size": 8, "layers": 1, "heads": 2, "intermediate_size": 8, "max_positions": 20}
    ids = {"vocab_size": 9, "cls_id": 1, "sep_id": 2, "pad_id": 0}
    return single_stream(SingleStreamConfig(embedder="oscar", **sizes, **ids), seed=1)


@pytest.mark.parametrize(("seen", "expected"), [(True, "cuda"), (False, "cpu")])
def test_a_gpu_is_used_where_torch_sees_one(seen: bool, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: seen)
    assert fastest_device().type == expected


def test_an_accelerator_is_the_gpu_by_its_name_and_no_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H100")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert accelerator() == "NVIDIA H100"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert accelerator() is None


def test_a_loaded_model_lies_where_it_is_fastest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "fastest_device", lambda: torch.device("meta"))
    checkpoints.save_model(small(), tmp_path)
    assert load_model(tmp_path).device.type == "meta"


def test_a_backbone_made_here_is_trained_where_it_is_fastest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backbones, "fastest_device", lambda: torch.device("meta"))
    save_published(small(), tmp_path)
    assert backbones.open_backbone(tmp_path, Reading(embedder="oscar"), seed=1).device.type == "meta"
