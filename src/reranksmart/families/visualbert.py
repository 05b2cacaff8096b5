"""VisualBERT: BERT over a text's tokens and a detector's regions."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, VisualBertConfig, VisualBertModel, VisualBertPreTrainedModel

from reranksmart.models.pooling import mean_direction
from reranksmart.models.pretrained import Pretrained, in_float32, log_odds, require_features, require_pairs
from reranksmart.values.batches import RegionBatch, TextBatch
from reranksmart.values.facts import Facts

FACTS = Facts(sees="regions", max_tokens=70)


class VisualBertForMatching(VisualBertPreTrainedModel):
    """The trunk and the sentence-image head of ``transformers``' pretraining class, by their names."""

    def __init__(self, config: VisualBertConfig) -> None:
        super().__init__(config)
        self.visual_bert = VisualBertModel(config)
        self.cls = nn.ModuleDict({"seq_relationship": nn.Linear(config.hidden_size, 2)})
        self.post_init()


class VisualBert(Pretrained):
    """VisualBERT (Li et al. 2019): a cross-encoder, and after fine-tuning a bi-encoder, as the mean of either half.

    Its head was pretrained to tell whether the second of two captions fits the first and the image, and "fits" is its
    column 0: one caption is what it sees here, so it too wants fine-tuning. Boxes and object tags are not read.
    """

    facts: ClassVar[Facts] = FACTS
    network_class: ClassVar[type[PreTrainedModel]] = VisualBertForMatching
    heads: ClassVar[tuple[str, ...]] = ("cls.seq_relationship.",)
    fresh: ClassVar[tuple[str, ...]] = heads
    unused: ClassVar[tuple[str, ...]] = ("cls.predictions.",)

    def encode_text(self, texts: TextBatch) -> Tensor:
        """Unit rows (B, H): the mean over the text's tokens."""
        texts = self.texts_on_device(texts)
        found = self.network.visual_bert(input_ids=texts.token_ids, attention_mask=texts.mask.long())
        return mean_direction(found.last_hidden_state, texts.mask)

    def encode_image(self, images: RegionBatch) -> Tensor:
        """Unit rows (B, H): the mean over the image's regions."""
        images = images.to(self.device)
        nothing = TextBatch(torch.zeros(len(images), 0, dtype=torch.int64, device=self.device), images.mask[:, :0])
        return mean_direction(self._read(nothing, images).last_hidden_state, images.mask)

    def score_pairs(self, texts: TextBatch, images: RegionBatch) -> Tensor:
        """Log-odds (B,) that text i matches image i."""
        require_pairs(texts, images)
        found = self._read(self.texts_on_device(texts), images.to(self.device))
        return log_odds(in_float32(self.network.cls["seq_relationship"], found.pooler_output).flip(1))

    def _read(self, texts: TextBatch, images: RegionBatch):
        require_features(images, self.network.config.visual_embedding_dim, family=self.config.family)
        return self.network.visual_bert(
            input_ids=texts.token_ids,
            attention_mask=texts.mask.long(),
            visual_embeds=images.features,
            visual_attention_mask=images.mask.long(),
        )
