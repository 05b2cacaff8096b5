"""What the files of published single-stream backbones share: BERT's settings and names, and how weights are kept."""

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from reranksmart.files.reading import reading
from reranksmart.files.weights import read_pickled_tensors
from reranksmart.files.writing import atomic_path
from reranksmart.models.single_stream_config import SingleStreamConfig

BERT_SETTINGS = {
    "vocab_size": "vocab_size",
    "hidden_size": "hidden_size",
    "num_hidden_layers": "layers",
    "num_attention_heads": "heads",
    "intermediate_size": "intermediate_size",
    "max_position_embeddings": "max_positions",
    "hidden_dropout_prob": "hidden_dropout",
    "attention_probs_dropout_prob": "attention_dropout",
    "layer_norm_eps": "layer_norm_eps",
    "cls_token_id": "cls_id",
    "sep_token_id": "sep_id",
    "pad_token_id": "pad_id",
}
"""Keys of a BERT-like configuration and our fields."""
BERT_NAMES = (
    ("embeddings.", "embedder.text."),
    ("encoder.layer.", "encoder.layer."),
    ("pooler.", "pooler."),
)
"""Starts of published names and of ours, of what every BERT has."""

Read = tuple[SingleStreamConfig, dict[str, Tensor], Path]
"""What a checkpoint holds: sizes and constants, tensors by published name, and its file."""


def bert_config(embedder: str, settings: dict[str, Any], file: Path) -> SingleStreamConfig:
    """Sizes from a BERT-like configuration, special tokens from it or from the vocabulary beside ``file``."""
    settings = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "layer_norm_eps": 1e-12} | settings
    if "cls_token_id" not in settings:
        settings |= _special_ids(file.with_name("vocab.txt"))
    missing = [key for key in BERT_SETTINGS if key not in settings]
    if missing:
        raise ValueError(f"the configuration beside {file} lacks {missing}; restore it from its source.")
    for key, value in {"hidden_act": "gelu", "type_vocab_size": 2}.items():
        if settings.get(key, value) != value:
            raise ValueError(
                f"the configuration beside {file} has {key} {settings[key]!r}; only {value!r} is known. Give other weights."
            )
    with reading(file, remedy="Restore the configuration beside it from its source."):
        return SingleStreamConfig(
            embedder=embedder, **{ours: settings[theirs] for theirs, ours in BERT_SETTINGS.items()}
        )


def bert_settings(config: SingleStreamConfig) -> dict[str, Any]:
    """The sizes of a model as a BERT-like configuration has them."""
    sizes = {theirs: getattr(config, ours) for theirs, ours in BERT_SETTINGS.items()}
    return sizes | {"model_type": "bert", "hidden_act": "gelu", "type_vocab_size": 2}


def _special_ids(vocabulary: Path) -> dict[str, int]:
    with reading(
        vocabulary, remedy="The ids of [CLS], [SEP] and [PAD] are read from it: restore it beside the weights."
    ):
        words = vocabulary.read_text(encoding="utf-8").split("\n")
    absent = [word for word in ("[CLS]", "[SEP]", "[PAD]") if word not in words]
    if absent:
        raise ValueError(f"{vocabulary} lacks {absent}; it is no WordPiece vocabulary of these weights.")
    ids = {"cls_token_id": "[CLS]", "sep_token_id": "[SEP]", "pad_token_id": "[PAD]"}
    return {key: words.index(word) for key, word in ids.items()}


def stripped(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names without the wrappers that training code adds, and with the LayerNorm names of today.

    ValueError where two tensors come to one name.
    """
    renamed = {}
    for name, tensor in tensors.items():
        name = name.removeprefix("module.").removeprefix("bert.").removeprefix("uniter.")
        name = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", name))
        if name in renamed:
            raise ValueError(f"tensor {name} occurs twice, with and without a prefix; remove one of the two.")
        renamed[name] = tensor
    return renamed


def tensors_of(file: Path) -> dict[str, Tensor]:
    """The tensors of a pickled file by their published names."""
    return stripped(read_pickled_tensors(file))


def shape_of(tensors: dict[str, Tensor], name: str, file: Path) -> torch.Size:
    if name not in tensors:
        raise ValueError(f"{file}: tensor {name} is missing, found {sorted(tensors)[:5]}. Is it the right file?")
    return tensors[name].shape


def file_of(path: Path, name: str) -> Path:
    """The file, or the one of this name in a folder."""
    return path / name if path.is_dir() else path


def write_weights(path: Path, content: dict[str, Any]) -> None:
    """Writes a pickled file, whole or not at all."""
    with atomic_path(path) as target, target.open("wb") as file:
        torch.save(content, file)  # by file object: the archive then does not hold the name
