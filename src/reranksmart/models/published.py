"""Published weights: their files read strictly, and small models written in the same layouts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from reranksmart.models.checkpoints import read_settings, single_stream_of, write_whole
from reranksmart.models.published_names import our_names, published_parameters, stripped
from reranksmart.models.region_embeddings import SingleStreamConfig
from reranksmart.models.single_stream import SingleStream
from reranksmart.reading import reading
from reranksmart.weights import fill, read_pickled_tensors

OSCAR_FILE, UNITER_FILE, M3P_FILE = "pytorch_model.bin", "uniter-base.pt", "m3p_under_weights.pth"

# (published key, our field) of the configurations.
_BERT_SETTINGS = {
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
_M3P_PARAMS = {
    "n_heads": "heads",
    "dropout": "hidden_dropout",
    "attention_dropout": "attention_dropout",
    "cls_index": "cls_id",
    "eos_index": "sep_id",
    "pad_index": "pad_id",
}
_BERT_FILES = {"oscar": ("bert.", OSCAR_FILE, "config.json"), "uniter": ("uniter.", UNITER_FILE, "uniter-base.json")}

_JOINT_KINDS = {"0_OSCAR": "oscar", "0_M3P": "m3p"}

Read = tuple[SingleStreamConfig, dict[str, Tensor], Path]


@dataclass(frozen=True)
class Published:
    """A published model as its file has it: sizes and constants, tensors by published name, and the file."""

    config: SingleStreamConfig
    tensors: dict[str, Tensor]
    source: Path

    @property
    def has_head(self) -> bool:
        return any(name.startswith("classifier.") for name in self.tensors)

    def build(self, *, seed: int) -> SingleStream:
        """The model in evaluation mode, each tensor accounted for; a head that the file lacks is drawn from ``seed``."""
        hidden = self.tensors.get("classifier.0.weight")
        widths = () if hidden is None else (len(hidden),)
        config = replace(self.config, head_widths=widths, head_dropout=self.config.hidden_dropout)
        model = single_stream_of(config, source=self.source, seed=seed)
        tensors = our_names(self.tensors, config)
        if not self.has_head:
            tensors |= {f"head.{name}": tensor for name, tensor in model.head.state_dict().items()}
        fill(model, tensors, source=self.source)
        return model.eval()


def load_published(embedder: str, path: Path, *, normalise_inputs: bool = False, seed: int = 0) -> SingleStream:
    """A published backbone in evaluation mode; a head that the file lacks is drawn from ``seed``."""
    return read_published(embedder, path, normalise_inputs=normalise_inputs).build(seed=seed)


def load_joint(folder: Path) -> SingleStream:
    """A model published with the paper, in evaluation mode."""
    return read_joint(folder).build(seed=0)


def read_published(embedder: str, path: Path, *, normalise_inputs: bool = False) -> Published:
    """What published files hold, not yet checked against a model.

    ``path`` is the weights file or its folder: OSCAR ``pytorch_model.bin`` beside ``config.json`` and ``vocab.txt``,
    UNITER or VILLA ``uniter-base.pt`` beside ``uniter-base.json``, M3P ``m3p_under_weights.pth``; or a folder that
    ``read_joint`` reads. ``normalise_inputs`` as in ``SingleStreamConfig``. Raises FileNotFoundError where a file is
    missing, and ValueError naming the first tensors that are missing, unexpected or of another shape.
    """
    if embedder not in _READERS:
        raise ValueError(f"no published layout is known for {embedder!r}; choose one of {sorted(_READERS)}")
    if part := joint_part(path):
        if _JOINT_KINDS[part] != embedder or normalise_inputs:
            raise ValueError(
                f"{path} holds {part}, a {_JOINT_KINDS[part]} trained without normalised inputs; asked was {embedder} with "
                f"normalise_inputs {normalise_inputs}. Change these settings or the path."
            )
        return read_joint(path)
    config, tensors, source = _READERS[embedder](path)
    return Published(replace(config, normalise_inputs=normalise_inputs), tensors, source)


def read_joint(folder: Path) -> Published:
    """A model published with the paper: ``0_OSCAR`` or ``0_M3P``, ``1_ClassificationHead`` and ``2_Pooling``.

    ValueError where its head or its pooling is not what this project computes.
    """
    part = joint_part(folder)
    if part is None:
        raise FileNotFoundError(f"{folder} needs one of {sorted(_JOINT_KINDS)}; unpack the zip there.")
    config, tensors, source = _READERS[_JOINT_KINDS[part]](folder / part)
    head = read_settings(folder / "1_ClassificationHead" / "sentence_bert_config.json")
    if head.get("input_key") != "pooled_cls_token_embeddings":
        raise ValueError(
            f"{folder}: its head reads {head.get('input_key')!r}, not pooled_cls_token_embeddings. Give another model."
        )
    pooling = read_settings(folder / "2_Pooling" / "config.json")
    modes = [key for key, value in pooling.items() if key.startswith("pooling_mode_") and value]
    if modes != ["pooling_mode_mean_tokens"]:
        raise ValueError(
            f"{folder}: its embeddings are pooled by {modes}, not by pooling_mode_mean_tokens. Give another."
        )
    return Published(config, tensors | _tensors(folder / "1_ClassificationHead" / "class_head.pt"), source)


def joint_part(folder: Path) -> str | None:
    """The backbone's folder in one of the paper's own models; None where this is none."""
    return next((name for name in _JOINT_KINDS if (folder / name).is_dir()), None)


def save_published(model: SingleStream, folder: Path) -> None:
    """Writes the backbone, without its head, into an existing folder in the layout that ``load_published`` reads.

    The tokeniser is the caller's to write beside it; the ids of the special tokens are kept here.
    """
    config = model.config
    named = ((name, parameter.detach().cpu().clone()) for name, parameter in published_parameters(model))
    tensors = {name: tensor for name, tensor in named if not name.startswith("head.")}
    if config.embedder == "m3p":
        params = {theirs: getattr(config, ours) for theirs, ours in _M3P_PARAMS.items()}
        _save_pickled(folder / M3P_FILE, {"model": tensors, "params": params})
        return
    prefix, weights, settings = _BERT_FILES[config.embedder]
    _save_pickled(folder / weights, {prefix + name: tensor for name, tensor in tensors.items()})
    keys = {theirs: getattr(config, ours) for theirs, ours in _BERT_SETTINGS.items()}
    keys |= {"model_type": "bert", "hidden_act": "gelu", "type_vocab_size": 2}
    if config.embedder == "oscar":
        keys |= {"img_feature_dim": config.feature_size + 6, "use_img_layernorm": 0}
        if config.image_layer_norm_eps is not None:
            keys |= {"use_img_layernorm": 1, "img_layer_norm_eps": config.image_layer_norm_eps}
    text = json.dumps(keys, indent=1) + "\n"
    write_whole(folder / settings, lambda path: path.write_text(text))


def _read_oscar(path: Path) -> Read:
    file = _file(path, OSCAR_FILE)
    settings = read_settings(file.with_name("config.json"))
    config = _bert_config("oscar", settings, file)
    norm = settings.get("img_layer_norm_eps", 1e-12) if settings.get("use_img_layernorm") else None
    feature_size = settings.get("img_feature_dim", 2054) - 6
    return replace(config, image_layer_norm_eps=norm, feature_size=feature_size), _tensors(file), file


def _read_uniter(path: Path) -> Read:
    file = _file(path, UNITER_FILE)
    settings = read_settings(file.with_name("uniter-base.json"))
    bert_base_cased = {"cls_token_id": 101, "sep_token_id": 102, "pad_token_id": 0}
    config = _bert_config("uniter", bert_base_cased | settings, file)
    tensors = _tensors(file)
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
            **{ours: params[theirs] for theirs, ours in _M3P_PARAMS.items()},
        )
    return config, tensors, file


_READERS: dict[str, Callable[[Path], Read]] = {"oscar": _read_oscar, "uniter": _read_uniter, "m3p": _read_m3p}


def _bert_config(embedder: Literal["oscar", "uniter"], settings: dict[str, Any], file: Path) -> SingleStreamConfig:
    """Sizes from a BERT-like configuration, special tokens from it or from the vocabulary beside ``file``."""
    settings = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "layer_norm_eps": 1e-12} | settings
    if "cls_token_id" not in settings:
        settings |= _special_ids(file.with_name("vocab.txt"))
    missing = [key for key in _BERT_SETTINGS if key not in settings]
    if missing:
        raise ValueError(f"the configuration beside {file} lacks {missing}; restore it from its source.")
    for key, value in {"hidden_act": "gelu", "type_vocab_size": 2}.items():
        if settings.get(key, value) != value:
            raise ValueError(
                f"the configuration beside {file} has {key} {settings[key]!r}; only {value!r} is known. Give other weights."
            )
    with reading(file, remedy="Restore the configuration beside it from its source."):
        return SingleStreamConfig(
            embedder=embedder, **{ours: settings[theirs] for theirs, ours in _BERT_SETTINGS.items()}
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


def _tensors(file: Path) -> dict[str, Tensor]:
    return stripped(read_pickled_tensors(file))


def _shape(tensors: dict[str, Tensor], name: str, file: Path) -> torch.Size:
    if name not in tensors:
        raise ValueError(f"{file}: tensor {name} is missing, found {sorted(tensors)[:5]}. Is it the right file?")
    return tensors[name].shape


def _file(path: Path, name: str) -> Path:
    return path / name if path.is_dir() else path


def _save_pickled(path: Path, content: dict[str, Any]) -> None:
    def write(target: Path) -> None:
        with target.open("wb") as file:  # by file object: the archive then does not hold the file's name
            torch.save(content, file)

    write_whole(path, write)
