"""Published weights: their files read strictly, and small models written in the same layouts."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from reranksmart.files.weights import fill
from reranksmart.models.checkpoints import read_settings, single_stream_of, write_whole
from reranksmart.models.published_layouts import BERT_FILES, BERT_SETTINGS, M3P_FILE, M3P_PARAMS, READERS, tensors_of
from reranksmart.models.published_names import our_names, published_parameters
from reranksmart.models.region_embeddings import SingleStreamConfig
from reranksmart.models.single_stream import SingleStream

_JOINT_KINDS = {"0_OSCAR": "oscar", "0_M3P": "m3p"}


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
    if embedder not in READERS:
        raise ValueError(f"no published layout is known for {embedder!r}; choose one of {sorted(READERS)}")
    if part := joint_part(path):
        if _JOINT_KINDS[part] != embedder or normalise_inputs:
            raise ValueError(
                f"{path} holds {part}, a {_JOINT_KINDS[part]} trained without normalised inputs; asked was {embedder} with "
                f"normalise_inputs {normalise_inputs}. Change these settings or the path."
            )
        return read_joint(path)
    config, tensors, source = READERS[embedder](path)
    return Published(replace(config, normalise_inputs=normalise_inputs), tensors, source)


def read_joint(folder: Path) -> Published:
    """A model published with the paper: ``0_OSCAR`` or ``0_M3P``, ``1_ClassificationHead`` and ``2_Pooling``.

    ValueError where its head or its pooling is not what this project computes.
    """
    part = joint_part(folder)
    if part is None:
        raise FileNotFoundError(f"{folder} needs one of {sorted(_JOINT_KINDS)}; unpack the zip there.")
    config, tensors, source = READERS[_JOINT_KINDS[part]](folder / part)
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
    return Published(config, tensors | tensors_of(folder / "1_ClassificationHead" / "class_head.pt"), source)


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
        params = {theirs: getattr(config, ours) for theirs, ours in M3P_PARAMS.items()}
        _save_pickled(folder / M3P_FILE, {"model": tensors, "params": params})
        return
    prefix, weights, settings = BERT_FILES[config.embedder]
    _save_pickled(folder / weights, {prefix + name: tensor for name, tensor in tensors.items()})
    keys = {theirs: getattr(config, ours) for theirs, ours in BERT_SETTINGS.items()}
    keys |= {"model_type": "bert", "hidden_act": "gelu", "type_vocab_size": 2}
    if config.embedder == "oscar":
        keys |= {"img_feature_dim": config.feature_size + 6, "use_img_layernorm": 0}
        if config.image_layer_norm_eps is not None:
            keys |= {"use_img_layernorm": 1, "img_layer_norm_eps": config.image_layer_norm_eps}
    text = json.dumps(keys, indent=1) + "\n"
    write_whole(folder / settings, lambda path: path.write_text(text, encoding="utf-8"))


def _save_pickled(path: Path, content: dict[str, Any]) -> None:
    def write(target: Path) -> None:
        with target.open("wb") as file:  # by file object: the archive then does not hold the file's name
            torch.save(content, file)

    write_whole(path, write)
