"""The layouts of published backbones: which files hold OSCAR, UNITER or VILLA, and M3P, and how sizes are read from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from reranksmart.files.reading import reading
from reranksmart.files.weights import read_pickled_tensors
from reranksmart.models.checkpoints import read_settings
from reranksmart.models.published_names import stripped
from reranksmart.models.region_embeddings import SingleStreamConfig

OSCAR_FILE, UNITER_FILE, M3P_FILE = "pytorch_model.bin", "uniter-base.pt", "m3p_under_weights.pth"

# (published key, our field) of the configurations.
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
M3P_PARAMS = {
    "n_heads": "heads",
    "dropout": "hidden_dropout",
    "attention_dropout": "attention_dropout",
    "cls_index": "cls_id",
    "eos_index": "sep_id",
    "pad_index": "pad_id",
}
# By embedder: the prefix of its tensors, its weights, its configuration.
BERT_FILES = {"oscar": ("bert.", OSCAR_FILE, "config.json"), "uniter": ("uniter.", UNITER_FILE, "uniter-base.json")}

Read = tuple[SingleStreamConfig, dict[str, Tensor], Path]


def _read_oscar(path: Path) -> Read:
    file = _file(path, OSCAR_FILE)
    settings = read_settings(file.with_name("config.json"))
    config = _bert_config("oscar", settings, file)
    norm = settings.get("img_layer_norm_eps", 1e-12) if settings.get("use_img_layernorm") else None
    feature_size = settings.get("img_feature_dim", 2054) - 6
    return replace(config, image_layer_norm_eps=norm, feature_size=feature_size), tensors_of(file), file


def _read_uniter(path: Path) -> Read:
    file = _file(path, UNITER_FILE)
    settings = read_settings(file.with_name("uniter-base.json"))
    bert_base_cased = {"cls_token_id": 101, "sep_token_id": 102, "pad_token_id": 0}
    config = _bert_config("uniter", bert_base_cased | settings, file)
    tensors = tensors_of(file)
    return replace(config, feature_size=_shape(tensors, "img_embeddings.img_linear.weight", file)[1]), tensors, file


def _read_m3p(path: Path) -> Read:
    file = _file(path, M3P_FILE)
    content = read_pickled_tensors(file)
    if not isinstance(content.get("model"), dict):
        raise ValueError(f"{file} has no dict 'model' (but {sorted(map(str, content))[:5]}); it is no file of M3P.")
    tensors = stripped(content["model"])
    vocab_size, hidden_size = _shape(tensors, "embeddings.weight", file)
    defaults = {"n_heads": max(1, hidden_size // 64), "dropout": 0.1, "attention_dropout": 0.1}
    defaults |= {"cls_index": 0, "eos_index": 2, "pad_index": 1}
    params = defaults | content.get("params", {})
    with reading(file, remedy="Fetch it again."):
        config = SingleStreamConfig(
            embedder="m3p",
            vocab_size=vocab_size,
            hidden_size=hidden_size,
            layers=sum(name.startswith("attentions.") and name.endswith(".q_lin.weight") for name in tensors),
            intermediate_size=_shape(tensors, "ffns.0.lin1.weight", file)[0],
            max_positions=_shape(tensors, "position_embeddings.weight", file)[0],
            feature_size=_shape(tensors, "image_embeddings.image_embeddings.weight", file)[1],
            **{ours: params[theirs] for theirs, ours in M3P_PARAMS.items()},
        )
    return config, tensors, file


READERS: dict[str, Callable[[Path], Read]] = {"oscar": _read_oscar, "uniter": _read_uniter, "m3p": _read_m3p}


def _bert_config(embedder: Literal["oscar", "uniter"], settings: dict[str, Any], file: Path) -> SingleStreamConfig:
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


def _special_ids(vocabulary: Path) -> dict[str, int]:
    if not vocabulary.is_file():
        raise FileNotFoundError(f"{vocabulary} is missing; the ids of [CLS], [SEP] and [PAD] are read from it.")
    with reading(vocabulary, remedy="Restore it from where the weights came from."):
        words = vocabulary.read_text(encoding="utf-8").split("\n")
    absent = [word for word in ("[CLS]", "[SEP]", "[PAD]") if word not in words]
    if absent:
        raise ValueError(f"{vocabulary} lacks {absent}; it is no WordPiece vocabulary of these weights.")
    ids = {"cls_token_id": "[CLS]", "sep_token_id": "[SEP]", "pad_token_id": "[PAD]"}
    return {key: words.index(word) for key, word in ids.items()}


def tensors_of(file: Path) -> dict[str, Tensor]:
    """The tensors of a pickled file by their published names."""
    return stripped(read_pickled_tensors(file))


def _shape(tensors: dict[str, Tensor], name: str, file: Path) -> torch.Size:
    if name not in tensors:
        raise ValueError(f"{file}: tensor {name} is missing, found {sorted(tensors)[:5]}. Is it the right file?")
    return tensors[name].shape


def _file(path: Path, name: str) -> Path:
    return path / name if path.is_dir() else path
