"""LXMERT: a stack for texts, one for a detector's regions, and one above them that reads both."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from transformers import LxmertConfig, LxmertModel, LxmertPreTrainedModel, PreTrainedModel

from reranksmart.models.pooling import mean_direction
from reranksmart.models.pretrained import Pretrained, in_float32, log_odds, require_features, require_pairs
from reranksmart.values.batches import RegionBatch, TextBatch
from reranksmart.values.facts import Facts
from reranksmart.values.pixels import VisionStates

FACTS = Facts(sees="regions", max_tokens=70)


class LxmertForMatching(LxmertPreTrainedModel):
    """The trunk and the matching head of ``transformers``' pretraining class, by their names."""

    def __init__(self, config: LxmertConfig) -> None:
        super().__init__(config)
        self.lxmert = LxmertModel(config)
        self.cls = nn.ModuleDict({"seq_relationship": nn.Linear(config.hidden_size, 2)})
        self.post_init()


class Lxmert(Pretrained):
    """LXMERT (Tan and Bansal 2019): a cross-encoder, and after fine-tuning a bi-encoder, as its lower stacks' means.

    The region stack reads an image alone: its states can be stored, so that a pair runs the text's stack and the
    common one. Object tags are not read.
    """

    facts: ClassVar[Facts] = FACTS
    network_class: ClassVar[type[PreTrainedModel]] = LxmertForMatching
    towers: ClassVar[dict[str, tuple[str, ...]]] = {
        "vision": ("lxmert.encoder.visn_fc.", "lxmert.encoder.r_layers."),
        "text": ("lxmert.embeddings.", "lxmert.encoder.layer."),
    }
    heads: ClassVar[tuple[str, ...]] = ("cls.seq_relationship.",)
    fresh: ClassVar[tuple[str, ...]] = heads
    unused: ClassVar[tuple[str, ...]] = ("cls.predictions.", "obj_predict_head.", "answer_head.")

    def vision_states(self, images: RegionBatch) -> VisionStates:
        """The region stack's states (B, R, H); all that the common stack reads of an image."""
        require_features(images, self.network.config.visual_feat_dim, family=self.config.family)
        images = images.to(self.device)
        encoder = self.network.lxmert.encoder
        states = encoder.visn_fc(images.features, images.boxes)
        for layer in encoder.r_layers:
            states = layer(states, _added(images.mask, states))[0]
        return VisionStates(states, images.mask)

    def encode_text(self, texts: TextBatch) -> Tensor:
        """Unit rows (B, H): the mean over the text's tokens."""
        texts = self.texts_on_device(texts)
        return mean_direction(self._text_states(texts), texts.mask)

    def encode_image(self, images: RegionBatch | VisionStates) -> Tensor:
        """Unit rows (B, H): the mean over the image's regions."""
        found = self._states(images)
        return mean_direction(found.states, found.mask)

    def score_pairs(self, texts: TextBatch, images: RegionBatch | VisionStates) -> Tensor:
        """Log-odds (B,) that text i matches image i."""
        require_pairs(texts, images)
        texts, seen = self.texts_on_device(texts), self._states(images)
        words = self._text_states(texts)
        regions = seen.states.to(words.dtype)
        word_mask, region_mask = _added(texts.mask, words), _added(seen.mask, words)
        for layer in self.network.lxmert.encoder.x_layers:
            words, regions = layer(words, word_mask, regions, region_mask)
        return log_odds(in_float32(self.network.cls["seq_relationship"], self.network.lxmert.pooler(words)))

    def _states(self, images: RegionBatch | VisionStates) -> VisionStates:
        return self.vision_states(images) if isinstance(images, RegionBatch) else images.to(self.device)

    def _text_states(self, texts: TextBatch) -> Tensor:
        """States (B, T, H) of the text's stack."""
        states = self.network.lxmert.embeddings(texts.token_ids, torch.zeros_like(texts.token_ids))
        for layer in self.network.lxmert.encoder.layer:
            states = layer(states, _added(texts.mask, states))[0]
        return states


def _added(mask: Tensor, states: Tensor) -> Tensor:
    """What is added to the attention of a mask (B, L): (B, 1, 1, L), 0 where it is True."""
    return torch.zeros_like(mask, dtype=states.dtype).masked_fill(~mask, torch.finfo(states.dtype).min)[:, None, None]
