"""UNITER and VILLA: BERT over words and regions, whose features and places are normalised apart."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from torch import Tensor, nn

from reranksmart.files.storage import write_json
from reranksmart.models import published_files
from reranksmart.models.checkpoints import read_settings
from reranksmart.models.region_embeddings import Embedder, SingleStreamConfig, TextFirst
from reranksmart.models.single_stream import SingleStream
from reranksmart.values.facts import Facts

FACTS = Facts(sees="regions", single_stream=True, lower_case=False, tokeniser_place="bert-base-cased (vocab.txt)")
_WEIGHTS, _SETTINGS = "uniter-base.pt", "uniter-base.json"
_BERT_BASE_CASED = {"cls_token_id": 101, "sep_token_id": 102, "pad_token_id": 0}


class UniterEmbedder(TextFirst):
    """UNITER (Chen et al. 2020) and VILLA: features and geometry each projected and normalised, plus segment 1."""

    geometry = "x1 y1 x2 y2 w h area"

    def __init__(self, config: SingleStreamConfig) -> None:
        super().__init__(config)
        size, eps = config.hidden_size, config.layer_norm_eps
        self.image, self.image_norm = nn.Linear(config.feature_size, size), nn.LayerNorm(size, eps=eps)
        self.location, self.location_norm = nn.Linear(7, size), nn.LayerNorm(size, eps=eps)
        self.norm = nn.LayerNorm(size, eps=eps)

    def regions(self, features: Tensor, geometry: Tensor) -> Tensor:
        parts = self.image_norm(self.image(features)) + self.location_norm(self.location(geometry))
        return self.dropout(self.norm(parts + self.text.token_type_embeddings.weight[1]))  # (B, R, H)


class Uniter(SingleStream):
    """UNITER and VILLA as published: ``uniter-base.pt`` beside ``uniter-base.json``."""

    facts: ClassVar[Facts] = FACTS
    embedder_class: ClassVar[type[Embedder]] = UniterEmbedder
    names: ClassVar[tuple[tuple[str, str], ...]] = (
        *published_files.BERT_NAMES,
        ("img_embeddings.img_linear.", "embedder.image."),
        ("img_embeddings.img_layer_norm.", "embedder.image_norm."),
        ("img_embeddings.pos_linear.", "embedder.location."),
        ("img_embeddings.pos_layer_norm.", "embedder.location_norm."),
        ("img_embeddings.LayerNorm.", "embedder.norm."),
    )
    unused: ClassVar[tuple[str, ...]] = (
        "cls.",
        "feat_regress.",
        "region_classifier.",
        "itm_output.",
        "rank_output.",
        "img_embeddings.mask_embedding.",
        "embeddings.position_ids",
    )

    @staticmethod
    def read_checkpoint(path: Path) -> published_files.Read:
        file = published_files.file_of(path, _WEIGHTS)
        settings = _BERT_BASE_CASED | read_settings(file.with_name(_SETTINGS))
        config = published_files.bert_config("uniter", settings, file)
        tensors = published_files.tensors_of(file)
        size = published_files.shape_of(tensors, "img_embeddings.img_linear.weight", file)[1]
        return replace(config, feature_size=size), tensors, file

    @staticmethod
    def write_checkpoint(config: SingleStreamConfig, tensors: dict[str, Tensor], folder: Path) -> None:
        published_files.write_weights(folder / _WEIGHTS, {f"uniter.{name}": tensor for name, tensor in tensors.items()})
        write_json(folder / _SETTINGS, published_files.bert_settings(config))
