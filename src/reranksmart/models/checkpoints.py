"""Trained models on disk, bit for bit."""

import dataclasses
import json
from pathlib import Path
from typing import TypeVar

from safetensors.torch import load_file, save_file
from torch import nn

from reranksmart.files.reading import reading
from reranksmart.files.storage import write_json
from reranksmart.files.weights import fill
from reranksmart.files.writing import atomic_path
from reranksmart.models.devices import fastest_device
from reranksmart.models.pretrained import Pretrained
from reranksmart.models.single_stream import SingleStream
from reranksmart.models.tuning import without_adapters

CONFIG_FILE = "model.json"
WEIGHTS_FILE = "model.safetensors"
Model = TypeVar("Model", bound=nn.Module)


def save_model(model: SingleStream | Pretrained, folder: Path) -> None:
    """Writes ``model.safetensors`` and ``model.json`` into a folder, each whole or not at all.

    Equal models give equal bytes; adapters are merged into the weights that they adapt. The weights land first: a
    folder with a ``model.json`` is complete.
    """
    plain = without_adapters(model) if isinstance(model, Pretrained) else model
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in plain.state_dict().items()}
    places = [tensor.data_ptr() for tensor in tensors.values()]
    tensors = {  # the format holds no tensor that is tied to another
        name: tensor.clone() if tensor.data_ptr() in places[:row] else tensor
        for row, (name, tensor) in enumerate(tensors.items())
    }
    with atomic_path(folder / WEIGHTS_FILE) as target:
        save_file(tensors, target)
    write_json(folder / CONFIG_FILE, dataclasses.asdict(model.config))


def with_saved_weights(model: Model, folder: Path) -> Model:
    """An empty model with the weights that ``save_model`` wrote into ``folder``, in evaluation mode, on a GPU where
    there is one.

    Raises FileNotFoundError where there are none and ValueError where they are damaged or of another model.
    """
    path = folder / WEIGHTS_FILE
    with reading(path, remedy="Train the model again."):
        tensors = load_file(path)
    fill(model, tensors, source=path)
    return model.eval().to(fastest_device())


def read_settings(path: Path) -> dict:
    """The JSON object in a file; FileNotFoundError or ValueError with its path where there is none."""
    with reading(path, remedy="A model's folder holds it beside the weights: make or fetch the model again."):
        settings = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(settings, dict):
            raise ValueError(f"it holds a {type(settings).__name__}, not an object with settings")
        return settings
