"""One transformer with three readings: a text alone, an image alone, and the pair."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Self, TypeVar, cast

import torch
from torch import Tensor, nn
from transformers.models.bert.modeling_bert import BertEncoder, BertLayer, BertPooler

from reranksmart.models.of_family import OfFamily
from reranksmart.models.pooling import mean_direction
from reranksmart.models.published_files import Read
from reranksmart.models.region_embeddings import Embedder, region_inputs
from reranksmart.models.single_stream_config import SingleStreamConfig, require_possible
from reranksmart.models.trunk import attention_mask, first_token, head_of, initialise_as_bert, squeeze
from reranksmart.values.batches import EmbeddedRegions, EmbeddedTexts, RegionBatch, TextBatch

_States = TypeVar("_States", EmbeddedTexts, EmbeddedRegions)


class SingleStream(OfFamily, nn.Module):
    """A bi-encoder and a cross-encoder on one set of weights (Geigle et al. 2022, section 3).

    A family's embedder turns inputs into tokens; the trunk is ``transformers``' BERT encoder. Padding is squeezed
    out between the two, so a row's real tokens stand first, in order. Fresh weights are drawn from ``seed`` and leave
    the global generator as it was; inputs are moved to the model's device.
    """

    embedder_class: ClassVar[type]
    caches_layers: ClassVar[bool] = True
    """Whether layers can read a caption apart from its image, which needs positions that do not depend on it."""
    part: ClassVar[str | None] = None
    """The backbone's folder in the models that the paper published, where it published some."""
    names: ClassVar[tuple[tuple[str, str], ...]]
    """Starts of published names and of ours, the head's aside."""
    unused: ClassVar[tuple[str, ...]]
    """Starts of the published names of pretraining heads and of parts that are not read."""

    def __init__(self, config: SingleStreamConfig, *, seed: int = 0) -> None:
        super().__init__()
        self._require_cacheable(config.cached_layers)
        self.config = config
        bert = config.bert()
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.embedder: Embedder = self.embedder_class(config)
            self.encoder = BertEncoder(bert)
            self.pooler = BertPooler(bert)
            self.apply(initialise_as_bert)
            self.head = head_of(config)

    @classmethod
    def of_shape(cls, config: SingleStreamConfig, *, source: Path, seed: int = 0) -> Self:
        """A new model of this shape; ValueError naming ``source`` where the shape is none that a model can have."""
        require_possible(config, source=source)
        return cls(config, seed=seed)

    @classmethod
    def names_of(cls, layers: int) -> Sequence[tuple[str, str]]:
        """``names``, and those of each layer where they have its number within."""
        return cls.names

    @staticmethod
    def read_checkpoint(path: Path) -> Read:
        """What a published checkpoint holds; ``path`` is the weights file or its folder."""
        raise NotImplementedError

    @staticmethod
    def write_checkpoint(config: SingleStreamConfig, tensors: dict[str, Tensor], folder: Path) -> None:
        """Writes tensors by their published names as ``read_checkpoint`` reads them."""
        raise NotImplementedError

    def _require_cacheable(self, layers: int) -> None:
        if layers and not self.caches_layers:
            raise ValueError(
                f"{type(self).__name__} numbers a caption's tokens after the image's regions, so that no layer can read it "
                "apart from its image; set cached_layers to 0, or take another backbone."
            )

    def with_cached_layers(self, layers: int) -> Self:
        """A model of the same weights whose pair reading's first ``layers`` layers read text and image apart."""
        self._require_cacheable(layers)
        model = copy.deepcopy(self)
        model.config = replace(self.config, cached_layers=layers)
        return model

    @property
    def device(self) -> torch.device:
        return self.pooler.dense.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """Of the tokens that enter the trunk."""
        return next(self.embedder.parameters()).dtype

    def encode_text(self, texts: TextBatch) -> Tensor:
        """Unit rows (B, H): the mean over all real tokens, special tokens included."""
        return mean_direction(*self._read(texts, None))

    def encode_image(self, regions: RegionBatch | EmbeddedRegions) -> Tensor:
        """Unit rows (B, H): the mean over the first token, the tags if any, and the regions."""
        return mean_direction(*self._read(None, regions))

    def score_pairs(self, texts: TextBatch | EmbeddedTexts, regions: RegionBatch | EmbeddedRegions) -> Tensor:
        """Log-odds (B,) that text i matches image i."""
        logits = self.logits_pairs(texts, regions)
        return logits[:, 1] - logits[:, 0]

    def logits_pairs(self, texts: TextBatch | EmbeddedTexts, regions: RegionBatch | EmbeddedRegions) -> Tensor:
        """Logits (B, 2) float32 of the pair; column 1 is "matches" (the score of the published evaluators).

        The first ``cached_layers`` layers read text and image apart: what is given as their states is not read again.
        """
        if len(texts) != len(regions):
            raise ValueError(
                f"{len(texts)} texts for {len(regions)} images; pairs need one of each. Repeat the shorter."
            )
        if self.config.cached_layers:
            text_states, image_states = self.cache_texts(texts), self.cache_regions(regions)
            parts = ((text_states.tokens, image_states.tokens), (text_states.mask, image_states.mask))
            tokens, mask = squeeze(*(torch.cat([half.to(self.device) for half in part], dim=1) for part in parts))
        else:
            tokens, mask = self._sequence(cast(TextBatch, texts), regions)
        *layers, last = cast(list[BertLayer], self.encoder.layer)[self.config.cached_layers :]
        for layer in layers:
            tokens = layer(tokens, attention_mask(mask))
        first = first_token(last, tokens, attention_mask(mask))  # (B, 1, H): only it is read
        with torch.autocast(self.device.type, enabled=False):  # the log-odds keep all their digits
            return self.head(self.pooler(first.to(self.pooler.dense.weight.dtype))).float()

    def cache_texts(self, texts: TextBatch | EmbeddedTexts) -> EmbeddedTexts:
        """States of texts after the first ``cached_layers`` layers, which read them alone: needed once a caption."""
        if isinstance(texts, EmbeddedTexts):
            return _require_layers(texts, self.config.cached_layers)
        tokens, mask = self._first_layers(*self._sequence(texts, None))
        return EmbeddedTexts(tokens, mask, self.config.cached_layers)

    def cache_regions(self, regions: RegionBatch | EmbeddedRegions) -> EmbeddedRegions:
        """Images as the pair reading takes them, needed once an image: states after ``cached_layers`` layers, or
        input tokens where that is 0."""
        layers = self.config.cached_layers
        if isinstance(regions, RegionBatch):
            regions = EmbeddedRegions(self.embed_regions(regions), regions.mask, regions.tags)
        if regions.layers or not layers:
            return _require_layers(regions, layers)
        if regions.tags is not None:
            raise ValueError(
                "object tags stand behind the caption, so that no layer can read them apart from it; set cached_layers "
                "to 0 or leave the tags out"
            )
        tokens, mask = self._first_layers(regions.tokens.to(self.device), regions.mask.to(self.device))
        return EmbeddedRegions(tokens, mask, layers=layers)

    def _first_layers(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        for layer in cast(list[BertLayer], self.encoder.layer)[: self.config.cached_layers]:
            tokens = layer(tokens, attention_mask(mask))
        return tokens, mask

    def embed_text(self, texts: TextBatch) -> Tensor:
        """Input-level word embeddings (B, T, H) of texts alone, columns as in ``texts``."""
        texts = texts.to(self.device)
        words = self.embedder.words(texts.token_ids, torch.zeros_like(texts.token_ids), texts.mask)
        nothing, no_mask = words[:, :0], texts.mask[:, :0]
        return self.embedder.join(words, texts.mask, nothing, no_mask)[0]

    def embed_regions(self, regions: RegionBatch) -> Tensor:
        """Input-level region embeddings (B, R, H), columns as in ``regions``."""
        regions = regions.to(self.device)
        inputs = region_inputs(
            regions.features,
            regions.boxes,
            columns=self.embedder.geometry,
            normalised=self.config.normalise_inputs,
        )
        return self.embedder.regions(*(part.to(self.dtype) for part in inputs))

    def hidden_states(
        self, texts: TextBatch | None, regions: RegionBatch | EmbeddedRegions | None
    ) -> tuple[list[Tensor], Tensor]:
        """The embedding output and each layer's (B, L, H), and their mask (B, L): real tokens first in each row.

        Reads the text alone, the image alone or the pair, by what is given; no pair with cached layers, whose first
        layers see no pair.
        """
        if self.config.cached_layers and texts is not None and regions is not None:
            raise ValueError(
                "with cached_layers the first layers read no pair; ask for the text's or the image's states"
            )
        tokens, mask = self._sequence(texts, regions)
        states = [tokens]
        for layer in self.encoder.layer:
            states.append(layer(states[-1], attention_mask(mask)))
        return states, mask

    def _read(self, texts: TextBatch | None, regions: RegionBatch | EmbeddedRegions | None) -> tuple[Tensor, Tensor]:
        tokens, mask = self._sequence(texts, regions)
        for layer in self.encoder.layer:
            tokens = layer(tokens, attention_mask(mask))
        return tokens, mask

    def _sequence(
        self, texts: TextBatch | None, regions: RegionBatch | EmbeddedRegions | None
    ) -> tuple[Tensor, Tensor]:
        """Tokens (B, L, H) of a reading and their mask (B, L), without padding between."""
        if isinstance(regions, RegionBatch):
            regions = EmbeddedRegions(self.embed_regions(regions), regions.mask, regions.tags)
        if regions is not None:
            _require_layers(regions, 0)
        token_ids, segments, mask = self._words(texts, regions)
        words = self.embedder.words(token_ids, segments, mask)
        if regions is None:
            tokens, region_mask = words[:, :0], mask[:, :0]
        else:
            tokens, region_mask = regions.tokens.to(self.device), regions.mask.to(self.device)
        return squeeze(*self.embedder.join(words, mask, tokens, region_mask))

    def _words(self, texts: TextBatch | None, regions: EmbeddedRegions | None) -> tuple[Tensor, Tensor, Tensor]:
        """Token ids, segments and mask, each (B, T), of ``[CLS] caption [SEP] tags [SEP]`` or what there is of it."""
        if texts is None:
            if regions is None:
                raise ValueError("a reading needs texts, regions or both, got neither")
            start = torch.full((len(regions), 1), self.config.cls_id, device=self.device)
            texts = TextBatch(start, torch.ones_like(start, dtype=torch.bool))
            tag_segment = 0
        else:
            texts = texts.to(self.device)
            tag_segment = 1
        token_ids, mask, segments = texts.token_ids, texts.mask, torch.zeros_like(texts.token_ids)
        if regions is not None and regions.tags is not None:
            tags = regions.tags.to(self.device)
            end = torch.full((len(tags), 1), self.config.sep_id, device=self.device)
            token_ids = torch.cat([token_ids, tags.token_ids, end], dim=1)
            mask = torch.cat([mask, tags.mask, torch.ones_like(end, dtype=torch.bool)], dim=1)
            segments = torch.cat([segments, torch.full_like(token_ids[:, segments.shape[1] :], tag_segment)], dim=1)
        return token_ids, segments, mask


def _require_layers(states: _States, layers: int) -> _States:
    if states.layers != layers:
        raise ValueError(
            f"these {type(states).__name__} are states after {states.layers} layers, where this reading takes those "
            f"after {layers}; compute them with the model that reads them"
        )
    return states
