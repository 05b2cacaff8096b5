"""The names of published tensors and ours.

A published tensor is either renamed to one of ours or listed here as known and unused; anything else keeps its name,
and is so reported as unexpected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from torch import Tensor, nn

from reranksmart.models.region_embeddings import SingleStreamConfig
from reranksmart.models.single_stream import SingleStream

# (published prefix, our prefix) by backbone; _M3P_LAYER_NAMES once for each layer.
_NAMES = {
    "oscar": [
        ("embeddings.", "embedder.text."),
        ("img_embedding.", "embedder.image."),
        ("LayerNorm.", "embedder.image_norm."),
        ("encoder.layer.", "encoder.layer."),
        ("pooler.", "pooler."),
    ],
    "uniter": [
        ("embeddings.", "embedder.text."),
        ("img_embeddings.img_linear.", "embedder.image."),
        ("img_embeddings.img_layer_norm.", "embedder.image_norm."),
        ("img_embeddings.pos_linear.", "embedder.location."),
        ("img_embeddings.pos_layer_norm.", "embedder.location_norm."),
        ("img_embeddings.LayerNorm.", "embedder.norm."),
        ("encoder.layer.", "encoder.layer."),
        ("pooler.", "pooler."),
    ],
    "m3p": [
        ("embeddings.", "embedder.word."),
        ("position_embeddings.", "embedder.position."),
        ("layer_norm_emb.", "embedder.norm."),
        ("image_embeddings.image_embeddings.", "embedder.image."),
        ("image_embeddings.image_location_embeddings.", "embedder.location."),
        ("image_embeddings.LayerNorm.", "embedder.image_norm."),
        ("pooled_layer.", "pooler."),
    ],
}
_M3P_LAYER_NAMES = [
    ("attentions.{}.q_lin.", "attention.self.query."),
    ("attentions.{}.k_lin.", "attention.self.key."),
    ("attentions.{}.v_lin.", "attention.self.value."),
    ("attentions.{}.out_lin.", "attention.output.dense."),
    ("layer_norm1.{}.", "attention.output.LayerNorm."),
    ("ffns.{}.lin1.", "intermediate.dense."),
    ("ffns.{}.lin2.", "output.dense."),
    ("layer_norm2.{}.", "output.LayerNorm."),
]

# Pretraining heads and unused parts, by prefix.
_UNUSED = {
    "oscar": ("cls.", "embeddings.position_ids"),
    "uniter": (
        "cls.",
        "feat_regress.",
        "region_classifier.",
        "itm_output.",
        "rank_output.",
        "img_embeddings.mask_embedding.",
        "embeddings.position_ids",
    ),
    "m3p": (
        "refine_embeddings.",
        "cross_alignment.",
        "encoder_attn.",
        "layer_norm15.",
        "seq_relationship.",
        "mrfr_dense.",
        "transformer_obj.",
        "pred_layer.",
        "pred_obj_layer.",
        "cross_lang_embeddings.",
        "image_embeddings.image_distbution_embeddings.",
    ),
}

_LINEAR_HEAD = [("classifier.", "head.1.")]
_MLP_HEAD = [("classifier.0.", "head.1."), ("classifier.2.", "head.3.")]


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


def our_names(published: dict[str, Tensor], config: SingleStreamConfig) -> dict[str, Tensor]:
    """The tensors that are used, under our names."""
    prefixes = _prefixes(config) + (_MLP_HEAD if config.head_widths else _LINEAR_HEAD)
    used = [name for name in published if not name.startswith(_UNUSED[config.embedder])]
    return {_renamed(name, prefixes): published[name] for name in used}


def published_parameters(model: SingleStream) -> Iterator[tuple[str, nn.Parameter]]:
    """Each parameter with its published name, those of the head with ours."""
    prefixes = [(ours, theirs) for theirs, ours in _prefixes(model.config)]
    for name, parameter in model.named_parameters():
        yield _renamed(name, prefixes), parameter


def _prefixes(config: SingleStreamConfig) -> list[tuple[str, str]]:
    """(published, ours) of every tensor but the head's."""
    if config.embedder != "m3p":
        return _NAMES[config.embedder]
    layers = [
        (theirs.format(layer), f"encoder.layer.{layer}.{ours}")
        for layer in range(config.layers)
        for theirs, ours in _M3P_LAYER_NAMES
    ]
    return _NAMES["m3p"] + layers


def _renamed(name: str, prefixes: list[tuple[str, str]]) -> str:
    """The name with its prefix exchanged; unchanged, and so unexpected, where no prefix fits."""
    for old, new in prefixes:
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name
