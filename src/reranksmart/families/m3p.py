"""M3P: XLM-R over regions, then words, in many languages."""

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from reranksmart.files.reading import reading
from reranksmart.files.weights import read_pickled_tensors
from reranksmart.models.published_files import Read, file_of, shape_of, stripped, write_weights
from reranksmart.models.region_embeddings import Embedder, SingleStreamConfig, positions_of
from reranksmart.models.single_stream import SingleStream
from reranksmart.values.facts import Facts

FACTS = Facts(
    sees="regions",
    single_stream=True,
    tokeniser="unigram",
    tokeniser_place="xlm-roberta-base (tokenizer.json)",
    entries=250_002,
)
_WEIGHTS = "m3p_under_weights.pth"
_PARAMS = {
    "n_heads": "heads",
    "dropout": "hidden_dropout",
    "attention_dropout": "attention_dropout",
    "cls_index": "cls_id",
    "eos_index": "sep_id",
    "pad_index": "pad_id",
}
"""Its file's settings and ours."""
_LAYER_NAMES = (
    ("attentions.{}.q_lin.", "attention.self.query."),
    ("attentions.{}.k_lin.", "attention.self.key."),
    ("attentions.{}.v_lin.", "attention.self.value."),
    ("attentions.{}.out_lin.", "attention.output.dense."),
    ("layer_norm1.{}.", "attention.output.LayerNorm."),
    ("ffns.{}.lin1.", "intermediate.dense."),
    ("ffns.{}.lin2.", "output.dense."),
    ("layer_norm2.{}.", "output.LayerNorm."),
)


class M3PEmbedder(Embedder):
    """M3P (Ni et al. 2021): regions first, then text; positions run over both, and count real tokens only."""

    geometry = "x1 y1 x2 y2 area"

    def __init__(self, config: SingleStreamConfig) -> None:
        super().__init__()
        size, eps = config.hidden_size, config.layer_norm_eps
        self.word = nn.Embedding(config.vocab_size, size, padding_idx=config.pad_id)
        self.position = nn.Embedding(config.max_positions, size)
        self.image, self.location = nn.Linear(config.feature_size, size), nn.Linear(5, size)
        self.image_norm, self.norm = nn.LayerNorm(size, eps=eps), nn.LayerNorm(size, eps=eps)
        self.dropout = nn.Dropout(config.hidden_dropout)

    def words(self, token_ids: Tensor, segments: Tensor, mask: Tensor) -> Tensor:
        return self.word(token_ids)  # (B, T, H)

    def regions(self, features: Tensor, geometry: Tensor) -> Tensor:
        return self.dropout(self.image_norm(self.image(features) + self.location(geometry)))  # (B, R, H)

    def join(self, words: Tensor, word_mask: Tensor, regions: Tensor, region_mask: Tensor) -> tuple[Tensor, Tensor]:
        tokens, mask = torch.cat([regions, words], dim=1), torch.cat([region_mask, word_mask], dim=1)
        return self.dropout(self.norm(tokens + self.position(positions_of(mask)))), mask


class M3P(SingleStream):
    """M3P as published: ``m3p_under_weights.pth``, which holds its settings too."""

    facts: ClassVar[Facts] = FACTS
    embedder_class: ClassVar[type[Embedder]] = M3PEmbedder
    part: ClassVar[str | None] = "0_M3P"
    caches_layers: ClassVar[bool] = False
    names: ClassVar[tuple[tuple[str, str], ...]] = (
        ("embeddings.", "embedder.word."),
        ("position_embeddings.", "embedder.position."),
        ("layer_norm_emb.", "embedder.norm."),
        ("image_embeddings.image_embeddings.", "embedder.image."),
        ("image_embeddings.image_location_embeddings.", "embedder.location."),
        ("image_embeddings.LayerNorm.", "embedder.image_norm."),
        ("pooled_layer.", "pooler."),
    )
    unused: ClassVar[tuple[str, ...]] = (
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
    )

    @classmethod
    def names_of(cls, layers: int) -> list[tuple[str, str]]:
        numbered = [
            (theirs.format(layer), f"encoder.layer.{layer}.{ours}")
            for layer in range(layers)
            for theirs, ours in _LAYER_NAMES
        ]
        return [*cls.names, *numbered]

    @staticmethod
    def read_checkpoint(path: Path) -> Read:
        file = file_of(path, _WEIGHTS)
        content = read_pickled_tensors(file)
        if not isinstance(content.get("model"), dict):
            raise ValueError(f"{file} has no dict 'model' (but {sorted(map(str, content))[:5]}); it is no file of M3P.")
        tensors = stripped(content["model"])
        vocab_size, hidden_size = shape_of(tensors, "embeddings.weight", file)
        defaults = {"n_heads": max(1, hidden_size // 64), "dropout": 0.1, "attention_dropout": 0.1}
        defaults |= {"cls_index": 0, "eos_index": 2, "pad_index": 1}
        params = defaults | content.get("params", {})
        with reading(file, remedy="Fetch it again."):
            config = SingleStreamConfig(
                embedder="m3p",
                vocab_size=vocab_size,
                hidden_size=hidden_size,
                layers=sum(name.startswith("attentions.") and name.endswith(".q_lin.weight") for name in tensors),
                intermediate_size=shape_of(tensors, "ffns.0.lin1.weight", file)[0],
                max_positions=shape_of(tensors, "position_embeddings.weight", file)[0],
                feature_size=shape_of(tensors, "image_embeddings.image_embeddings.weight", file)[1],
                **{ours: params[theirs] for theirs, ours in _PARAMS.items()},
            )
        return config, tensors, file

    @staticmethod
    def write_checkpoint(config: SingleStreamConfig, tensors: dict[str, Tensor], folder: Path) -> None:
        params = {theirs: getattr(config, ours) for theirs, ours in _PARAMS.items()}
        write_weights(folder / _WEIGHTS, {"model": tensors, "params": params})
