"""Trained models on disk, bit for bit."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from reranksmart.families.networks import family
from reranksmart.files.reading import reading
from reranksmart.files.weights import fill
from reranksmart.models.devices import fastest_device
from reranksmart.models.pretrained import Pretrained, PretrainedConfig
from reranksmart.models.region_embeddings import SingleStreamConfig
from reranksmart.models.single_stream import SingleStream
from reranksmart.models.tuning import without_adapters

CONFIG_FILE = "model.json"
WEIGHTS_FILE = "model.safetensors"


def save_model(model: SingleStream | Pretrained, folder: Path) -> None:
    """Writes ``model.safetensors`` and ``model.json`` into an existing folder, each whole or not at all.

    Equal models give equal bytes; adapters are merged into the weights that they adapt. The weights land first: a folder with a ``model.json`` is complete.
    """
    plain = without_adapters(model) if isinstance(model, Pretrained) else model
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in plain.state_dict().items()}
    text = json.dumps(dataclasses.asdict(model.config), indent=1) + "\n"
    write_whole(folder / WEIGHTS_FILE, lambda path: save_file(tensors, path))
    write_whole(folder / CONFIG_FILE, lambda path: path.write_text(text, encoding="utf-8"))


def load_model(folder: Path) -> Any:
    """The model that ``save_model`` wrote, in evaluation mode: a ``SingleStream`` or a ``Pretrained``.

    It lies on a GPU where there is one; inputs follow it there.

    Raises FileNotFoundError where there is none and ValueError where a file is damaged or of another model.
    """
    settings = read_settings(folder / CONFIG_FILE)
    model = _empty_pretrained(settings, folder) if "family" in settings else _empty_single_stream(settings, folder)
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; train the model again.")
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged ({error}); train the model again.") from error
    fill(model, tensors, source=path)
    return model.eval().to(fastest_device())


def _empty_pretrained(settings: dict[str, Any], folder: Path) -> Pretrained:
    try:
        return family(settings["family"])(PretrainedConfig(**settings))
    except TypeError as error:
        raise ValueError(f"{folder / CONFIG_FILE}: {error}. Train the model again.") from error


def _empty_single_stream(settings: dict[str, Any], folder: Path) -> SingleStream:
    known = [field.name for field in dataclasses.fields(SingleStreamConfig)]
    if set(settings) - set(known):
        unknown = sorted(set(settings) - set(known))
        raise ValueError(f"{folder / CONFIG_FILE}: unknown keys {unknown}; known are {known}. Train the model again.")
    try:
        config = SingleStreamConfig(**{**settings, "head_widths": tuple(settings["head_widths"])})
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{folder / CONFIG_FILE}: {error}; it needs the keys {known}. Train the model again."
        ) from error
    return single_stream_of(config, source=folder / CONFIG_FILE)


_MOST_PARAMETERS = 4_000_000_000


def single_stream_of(config: SingleStreamConfig, *, source: Path, seed: int = 0) -> SingleStream:
    """A new model of this shape; ValueError naming ``source`` where the shape is none that a model can have."""
    with reading(source, remedy="Restore it from where the weights came from, or train the model again."):
        sizes = {name: getattr(config, name) for name in _SIZES}
        wrong = {name: size for name, size in sizes.items() if type(size) is not int or not 0 < size < 10_000_000}
        if wrong or not all(type(width) is int and 0 < width < 10_000_000 for width in config.head_widths):
            raise ValueError(f"no model has the sizes {wrong or config.head_widths}; they are positive whole numbers")
        width, inner = config.hidden_size, config.intermediate_size
        if (
            config.vocab_size + config.max_positions + config.feature_size + config.layers * (4 * width + 2 * inner)
        ) * width > _MOST_PARAMETERS:
            raise ValueError(f"a model of the sizes {sizes} has more than {_MOST_PARAMETERS:,} parameters")
        return SingleStream(config, seed=seed)


_SIZES = ("vocab_size", "hidden_size", "layers", "heads", "intermediate_size", "max_positions", "feature_size")


def read_settings(path: Path) -> dict:
    """The JSON object in a file; FileNotFoundError or ValueError with its path where there is none."""
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing; a model's folder holds it beside the weights. Make or fetch the model again."
        )
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON ({error}); restore it from where the weights came from.") from error
    if not isinstance(settings, dict):
        raise ValueError(f"{path} holds a {type(settings).__name__}, not an object with settings; restore it.")
    return settings


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Has ``write`` fill a file beside ``path``, then renames it into place."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is no folder; make it before saving a model in it.")
    partial = path.with_name(f".{path.name}.partial")
    try:
        write(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
