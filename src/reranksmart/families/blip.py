"""BLIP for image-text matching: both roles on one set of weights, over vision states that are made once."""

from typing import ClassVar

import torch
from torch import Tensor
from transformers import BlipForImageTextRetrieval, PreTrainedModel

from reranksmart.models.pretrained import Pretrained, in_float32, log_odds, require_pairs, unit_rows
from reranksmart.values.batches import TextBatch
from reranksmart.values.facts import Facts
from reranksmart.values.pixels import PixelBatch, VisionStates, pictures_of

FACTS = Facts(
    sees="states", max_tokens=33, scores=("log_odds", "match_logit_plus_cosine"), unread_marks=r"[.!\"()*#:;~]"
)


class Blip(Pretrained):
    """BLIP-ITM (Li et al. 2022): the text tower reads alone, or with cross-attention to an image's states.

    The text of a pair begins with [ENC] instead of [CLS], as in its training: the last entry of its vocabulary, which
    its tokeniser does not know. Scores: "log_odds" of the match, or "match_logit_plus_cosine" as LAVIS ranks: the logit
    of a match alone, to which the two towers' cosine is added.
    """

    facts: ClassVar[Facts] = FACTS
    network_class: ClassVar[type[PreTrainedModel]] = BlipForImageTextRetrieval
    towers: ClassVar[dict[str, tuple[str, ...]]] = {"vision": ("vision_model.",), "text": ("text_encoder.",)}
    heads: ClassVar[tuple[str, ...]] = ("itm_head.", "text_proj.", "vision_proj.")

    def vision_states(self, images: PixelBatch) -> VisionStates:
        """The vision tower's states (B, S, H); all that the text side reads of an image."""
        pixels, _ = pictures_of(images.to(self.device))
        states = self.network.vision_model(pixel_values=pixels).last_hidden_state
        return VisionStates(states, torch.ones(states.shape[:2], dtype=torch.bool, device=states.device))

    def encode_text(self, texts: TextBatch) -> Tensor:
        """Unit rows (B, D)."""
        return unit_rows(in_float32(self.network.text_proj, self._first_state(texts, None)))

    def encode_image(self, images: PixelBatch | VisionStates) -> Tensor:
        """Unit rows (B, D)."""
        return unit_rows(in_float32(self.network.vision_proj, self._states(images).states[:, 0]))

    def score_pairs(self, texts: TextBatch, images: PixelBatch | VisionStates) -> Tensor:
        """Log-odds (B,) that text i matches image i, or what else ``score`` says."""
        require_pairs(texts, images)
        states = self._states(images)
        logits = in_float32(self.network.itm_head, self._first_state(texts, states))  # (B, 2)
        if self.config.score == "log_odds":
            return log_odds(logits)
        return logits[:, 1] + (self.encode_text(texts) * self.encode_image(states)).sum(dim=1)

    def _states(self, images: PixelBatch | VisionStates) -> VisionStates:
        return self.vision_states(images) if isinstance(images, PixelBatch) else images.to(self.device)

    def _first_state(self, texts: TextBatch, images: VisionStates | None) -> Tensor:
        """The text tower's first state (B, H), of the text alone or with an image."""
        texts = self.texts_on_device(texts)
        token_ids, seen = texts.token_ids, {}
        if images is not None:
            encode = torch.full_like(token_ids[:, :1], self.network.config.text_config.vocab_size - 1)
            token_ids = torch.cat([encode, token_ids[:, 1:]], dim=1)
            seen = {
                "encoder_hidden_states": images.states.to(self.network.itm_head.weight.dtype),
                "encoder_attention_mask": images.mask.long(),
            }
        found = self.network.text_encoder(input_ids=token_ids, attention_mask=texts.mask.long(), **seen)
        return found.last_hidden_state[:, 0]
