"""Small networks of every family of transformers' backbones, with random weights."""

from __future__ import annotations

from typing import Any

from reranksmart.families import FAMILIES, family
from reranksmart.models.pretrained import Pretrained, PretrainedConfig, settings_of

CLASSES = {
    name: family(name) for name, facts in FAMILIES.items() if not facts.single_stream and facts.sees != "pictures"
}
SIDE, PATCH = 32, 8
"""Pictures and patches in pixels."""

_WIDTHS = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
_VISION = {**_WIDTHS, "image_size": SIDE, "patch_size": PATCH, "initializer_range": 0.02}


def small_config(
    name: str,
    *,
    words: int,
    cls_id: int,
    sep_id: int,
    pad_id: int,
    positions: int = 80,
    feature_size: int = 2048,
    score: str = "log_odds",
) -> PretrainedConfig:
    """The settings of a small network of a family, for a tokeniser of ``words`` entries with these special tokens.

    ``feature_size`` is that of the regions, for the families that read them.
    """
    text = {**_WIDTHS, "vocab_size": words, "max_position_embeddings": positions}
    text |= {"bos_token_id": cls_id, "eos_token_id": sep_id, "pad_token_id": pad_id}
    settings: dict[str, dict[str, Any]] = {
        "clip": {"text_config": text, "vision_config": _VISION, "projection_dim": 24},
        "siglip": {"text_config": {**text, "projection_size": 32}, "vision_config": _VISION},
        "siglip2_naflex": {
            "text_config": {**text, "projection_size": 32},
            "vision_config": {**_WIDTHS, "patch_size": PATCH, "num_patches": (SIDE // PATCH) ** 2},
        },
        "blip": {
            "text_config": {
                **text,
                "vocab_size": words + 2,  # with [DEC] and [ENC], which its tokeniser does not know
                "bos_token_id": words,
                "sep_token_id": sep_id,
                "encoder_hidden_size": 32,
                "projection_dim": 24,
            },
            "vision_config": _VISION,
            "image_text_hidden_size": 24,
        },
        "blip2": {
            "qformer_config": {**text, "encoder_hidden_size": 32, "use_qformer_text_input": True},
            "vision_config": _VISION,
            "num_query_tokens": 3,
            "image_text_hidden_size": 24,
        },
        "vilt": {**text, "image_size": SIDE, "patch_size": PATCH},
        "bridgetower": {  # as wide as one head of its vision tower
            **_WIDTHS,
            "hidden_size": 64,
            "text_config": {**text, "hidden_size": 64, "max_position_embeddings": positions + pad_id + 1},
            "vision_config": {"hidden_size": 64, "num_hidden_layers": 2, "image_size": SIDE, "patch_size": PATCH},
            "contrastive_hidden_size": 24,
        },
        "visualbert": {**text, "visual_embedding_dim": feature_size},
        "lxmert": {**text, "l_layers": 2, "r_layers": 1, "x_layers": 2, "visual_feat_dim": feature_size},
    }
    if name not in settings:
        raise ValueError(f"no small network is known of family {name!r}; choose one of {sorted(settings)}")
    network = family(name).network_class.config_class(**settings[name])  # type: ignore[misc]
    return PretrainedConfig(name, settings_of(network), pad_id, score)


def small_model(name: str, *, seed: int = 0, **settings: Any) -> Pretrained:
    """A small network of a family, in evaluation mode; ``settings`` as for ``small_config``."""
    return family(name)(small_config(name, **settings), seed=seed).eval()
