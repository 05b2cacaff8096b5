"""OSCAR: BERT over words and regions, an image's object tags between them where they are read."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from reranksmart.files.storage import write_json
from reranksmart.models import published_files
from reranksmart.models.checkpoints import read_settings
from reranksmart.models.region_embeddings import Embedder, SingleStreamConfig, TextFirst
from reranksmart.models.single_stream import SingleStream
from reranksmart.values.facts import Facts

FACTS = Facts(
    sees="regions",
    single_stream=True,
    lower_case=True,
    tokeniser_place="the checkpoint's folder (vocab.txt) or bert-base-uncased",
)
_WEIGHTS, _SETTINGS = "pytorch_model.bin", "config.json"


class OscarEmbedder(TextFirst):
    """OSCAR (Li et al. 2020): features and geometry concatenated into one linear layer."""

    geometry = "x1 y1 x2 y2 w h"

    def __init__(self, config: SingleStreamConfig) -> None:
        super().__init__(config)
        eps = config.image_layer_norm_eps
        self.image = nn.Linear(config.feature_size + 6, config.hidden_size)
        self.image_norm = nn.Identity() if eps is None else nn.LayerNorm(config.hidden_size, eps=eps)

    def regions(self, features: Tensor, geometry: Tensor) -> Tensor:
        return self.dropout(self.image_norm(self.image(torch.cat([features, geometry], dim=-1))))  # (B, R, H)


class Oscar(SingleStream):
    """OSCAR and OSCAR+ as published: ``pytorch_model.bin`` beside ``config.json`` and ``vocab.txt``."""

    facts: ClassVar[Facts] = FACTS
    embedder_class: ClassVar[type[Embedder]] = OscarEmbedder
    part: ClassVar[str | None] = "0_OSCAR"
    names: ClassVar[tuple[tuple[str, str], ...]] = (
        *published_files.BERT_NAMES,
        ("img_embedding.", "embedder.image."),
        ("LayerNorm.", "embedder.image_norm."),
    )
    unused: ClassVar[tuple[str, ...]] = ("cls.", "embeddings.position_ids")

    @staticmethod
    def read_checkpoint(path: Path) -> published_files.Read:
        file = published_files.file_of(path, _WEIGHTS)
        settings = read_settings(file.with_name(_SETTINGS))
        config = published_files.bert_config("oscar", settings, file)
        norm = settings.get("img_layer_norm_eps", 1e-12) if settings.get("use_img_layernorm") else None
        feature_size = settings.get("img_feature_dim", 2054) - 6
        config = replace(config, image_layer_norm_eps=norm, feature_size=feature_size)
        return config, published_files.tensors_of(file), file

    @staticmethod
    def write_checkpoint(config: SingleStreamConfig, tensors: dict[str, Tensor], folder: Path) -> None:
        own: dict[str, float] = {"img_feature_dim": config.feature_size + 6, "use_img_layernorm": 0}
        if config.image_layer_norm_eps is not None:
            own |= {"use_img_layernorm": 1, "img_layer_norm_eps": config.image_layer_norm_eps}
        published_files.write_weights(folder / _WEIGHTS, {f"bert.{name}": tensor for name, tensor in tensors.items()})
        write_json(folder / _SETTINGS, published_files.bert_settings(config) | own)
