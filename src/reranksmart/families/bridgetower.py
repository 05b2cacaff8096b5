"""BridgeTower: a text and a vision tower whose upper layers feed a stack that reads both."""

from typing import ClassVar

from torch import Tensor
from transformers import BridgeTowerConfig, BridgeTowerForImageAndTextRetrieval, PreTrainedModel
from transformers.models.bridgetower.modeling_bridgetower import BridgeTowerContrastiveHead

from reranksmart.models.pretrained import Pretrained, in_float32, log_odds, require_pairs, unit_rows
from reranksmart.values.batches import TextBatch
from reranksmart.values.facts import Facts
from reranksmart.values.pixels import PixelBatch, pictures_of

FACTS = Facts(sees="pixels", max_tokens=48)


class BridgeTowerWithBothHeads(BridgeTowerForImageAndTextRetrieval):
    """The matching head of one class of ``transformers`` and the contrastive heads of another, by their names."""

    def __init__(self, config: BridgeTowerConfig) -> None:
        super().__init__(config)
        width = getattr(config, "contrastive_hidden_size", config.hidden_size)
        self.itc_text_head = BridgeTowerContrastiveHead(config.hidden_size, width)
        self.itc_image_head = BridgeTowerContrastiveHead(config.hidden_size, width)
        self.post_init()


class BridgeTower(Pretrained):
    """BridgeTower (Xu et al. 2023): a cross-encoder, and a bi-encoder by the first states of its towers.

    The checkpoints trained contrastively hold the bi-encoder's heads; with the others it needs fine-tuning.
    """

    facts: ClassVar[Facts] = FACTS
    network_class: ClassVar[type[PreTrainedModel]] = BridgeTowerWithBothHeads
    counts_padding: ClassVar[bool] = True
    towers: ClassVar[dict[str, tuple[str, ...]]] = {
        "vision": ("bridgetower.vision_model.",),
        "text": ("bridgetower.text_model.",),
    }
    heads: ClassVar[tuple[str, ...]] = ("itm_score.", "itc_text_head.", "itc_image_head.")
    fresh: ClassVar[tuple[str, ...]] = heads
    unused: ClassVar[tuple[str, ...]] = ("mlm_score.", "itc_cross_modal_head.", "logit_scale")

    @property
    def positions(self) -> int:
        """As in RoBERTa positions are counted from the one after the padding's."""
        settings = self.network.config.text_config
        return settings.max_position_embeddings - settings.pad_token_id - 1

    def encode_text(self, texts: TextBatch) -> Tensor:
        """Unit rows (B, D)."""
        texts = self.texts_on_device(texts)
        tower = self.network.bridgetower.text_model
        states = tower(input_ids=texts.token_ids, attention_mask=texts.mask.long()).last_hidden_state
        return unit_rows(in_float32(self.network.itc_text_head, states[:, 0]))

    def encode_image(self, images: PixelBatch) -> Tensor:
        """Unit rows (B, D)."""
        pixels, _ = pictures_of(images.to(self.device))
        network = self.network.bridgetower
        visual = network.vision_model.visual
        states = visual.forward_pre(pixels.to(network.vision_model.dtype))  # (S, B, H)
        for block in visual.transformer.resblocks[: len(network.text_model.encoder.layer)]:
            states = block(states)
        first = network.cross_modal_image_transform(visual.forward_post(states)[:, 0])
        return unit_rows(in_float32(self.network.itc_image_head, first + network.token_type_embeddings.weight[1]))

    def score_pairs(self, texts: TextBatch, images: PixelBatch) -> Tensor:
        """Log-odds (B,) that text i matches image i."""
        require_pairs(texts, images)
        texts = self.texts_on_device(texts)
        pixels, _ = pictures_of(images.to(self.device))
        trunk = self.network.bridgetower
        found = trunk(input_ids=texts.token_ids, attention_mask=texts.mask.long(), pixel_values=pixels)
        return log_odds(in_float32(self.network.itm_score, found.pooler_output))
