"""One transformer with three readings: a text alone, an image alone, and the pair."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from transformers.models.bert.modeling_bert import BertCrossAttention, BertEncoder, BertLayer, BertPooler

from reranksmart.models.pooling import mean_direction
from reranksmart.models.region_embeddings import EMBEDDERS, Embedder, SingleStreamConfig, region_inputs
from reranksmart.values.batches import EmbeddedRegions, EmbeddedTexts, RegionBatch, TextBatch

_States = TypeVar("_States", EmbeddedTexts, EmbeddedRegions)


class SingleStream(nn.Module):
    """A bi-encoder and a cross-encoder on one set of weights (Geigle et al. 2022, section 3).

    A backbone's embedder turns inputs into tokens; the trunk is ``transformers``' BERT encoder. Padding is squeezed
    out between the two, so a row's real tokens stand first, in order. Fresh weights are drawn from ``seed`` and leave
    the global generator as it was; inputs are moved to the model's device.
    """

    def __init__(self, config: SingleStreamConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        bert = config.bert()
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.embedder: Embedder = EMBEDDERS[config.embedder](config)
            self.encoder = BertEncoder(bert)
            self.pooler = BertPooler(bert)
            self.apply(_initialise_as_bert)
            self.head = _head(config)

    def with_cached_layers(self, layers: int) -> SingleStream:
        """A model of the same weights whose pair reading's first ``layers`` layers read text and image apart."""
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
            tokens, mask = _squeeze(*(torch.cat([half.to(self.device) for half in part], dim=1) for part in parts))
        else:
            tokens, mask = self._sequence(cast(TextBatch, texts), regions)
        *layers, last = cast(list[BertLayer], self.encoder.layer)[self.config.cached_layers :]
        for layer in layers:
            tokens = layer(tokens, _attention_mask(mask))
        first = _first_token(last, tokens, _attention_mask(mask))  # (B, 1, H): only it is read
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
            tokens = layer(tokens, _attention_mask(mask))
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
            states.append(layer(states[-1], _attention_mask(mask)))
        return states, mask

    def _read(self, texts: TextBatch | None, regions: RegionBatch | EmbeddedRegions | None) -> tuple[Tensor, Tensor]:
        tokens, mask = self._sequence(texts, regions)
        for layer in self.encoder.layer:
            tokens = layer(tokens, _attention_mask(mask))
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
        return _squeeze(*self.embedder.join(words, mask, tokens, region_mask))

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


def _squeeze(tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Real tokens moved to the front of each row in their order; as wide as the longest row."""
    longest = int(mask.sum(dim=1).max())
    if longest == mask.shape[1]:
        return tokens, mask
    order = mask.to(torch.int8).argsort(dim=1, descending=True, stable=True)[:, :longest]  # (B, L)
    return tokens.gather(1, order[..., None].expand(-1, -1, tokens.shape[2])), mask.gather(1, order)


def _attention_mask(mask: Tensor) -> Tensor:
    return mask[:, None, None, :]


def _first_token(layer: BertLayer, tokens: Tensor, attention_mask: Tensor) -> Tensor:
    """The layer's output (B, 1, H) for the first token alone, at the price of one query instead of L.

    BERT's cross-attention is its self-attention with the queries apart; both hold the same projections.
    """
    first = tokens[:, :1]
    attention = layer.attention
    query_apart = cast(BertCrossAttention, attention.self)
    context = BertCrossAttention.forward(query_apart, first, tokens, attention_mask)[0]
    return layer.feed_forward_chunk(attention.output(context, first))


def _head(config: SingleStreamConfig) -> nn.Sequential:
    """Dropout, hidden layers with ReLU if any, and two logits."""
    layers: list[nn.Module] = [nn.Dropout(config.head_dropout)]
    width = config.hidden_size
    for next_width in config.head_widths:
        layers += [nn.Linear(width, next_width), nn.ReLU()]
        width = next_width
    return nn.Sequential(*layers, nn.Linear(width, 2))


def _initialise_as_bert(module: nn.Module) -> None:
    """Weights from N(0, 0.02), biases and padding embeddings 0 (Devlin et al. 2019)."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
    if isinstance(module, nn.Embedding) and module.padding_idx is not None:
        with torch.no_grad():
            module.weight[module.padding_idx].zero_()
