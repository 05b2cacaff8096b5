"""Backbone families, one module each: its facts, its model, and how its checkpoint is read.

A family is a module of this folder with ``FACTS``; nothing else names it.
"""

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

from reranksmart.files.declarations import declared
from reranksmart.models.checkpoints import CONFIG_FILE, read_settings, with_saved_weights
from reranksmart.models.pretrained import Pretrained, PretrainedConfig
from reranksmart.models.single_stream import SingleStream
from reranksmart.models.single_stream_config import SingleStreamConfig, settings_read
from reranksmart.values.facts import Facts

FAMILIES = declared("families", Facts)


def family(name: str) -> Any:
    """The model class of a family, a ``SingleStream``, a ``Pretrained`` or a library's; ValueError with the known ones."""
    if name not in FAMILIES:
        raise ValueError(f"no backbone family is called {name!r}; choose one of {sorted(FAMILIES)}")
    module = import_module(f"reranksmart.families.{name}")
    return next(
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if member.__module__ == module.__name__ and vars(member).get("facts") is module.FACTS
    )


def single_stream(config: SingleStreamConfig, *, seed: int = 0) -> SingleStream:
    """A new single-stream model of ``config.embedder``'s family with weights drawn from ``seed``."""
    model: SingleStream = family(config.embedder)(config, seed=seed)
    return model


def load_model(folder: Path) -> Any:
    """The model that ``save_model`` wrote, in evaluation mode: a ``SingleStream``, a ``Pretrained``, or a library's.

    It lies on a GPU where there is one; inputs follow it there.

    Raises FileNotFoundError where there is none and ValueError where a file is damaged or of another model.
    """
    path = folder / CONFIG_FILE
    settings = read_settings(path)
    kind = family(str(settings.get("family", settings.get("embedder"))))
    if issubclass(kind, SingleStream):
        return with_saved_weights(kind.of_shape(settings_read(settings, path), source=path), folder)
    if not issubclass(kind, Pretrained):
        return kind.load(settings, folder)
    try:
        empty = kind(PretrainedConfig(**settings))
    except TypeError as error:
        raise ValueError(f"{path}: {error}. Train the model again.") from error
    return with_saved_weights(empty, folder).open_readers(folder)
