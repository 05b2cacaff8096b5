"""BLIP-2 for image-text matching: a Q-Former that reads texts, vision states that are made once, or both."""

from typing import ClassVar

import torch
from torch import Tensor
from transformers import Blip2ForImageTextRetrieval, PreTrainedModel

from reranksmart.models.pretrained import Pretrained, in_float32, log_odds, require_pairs, unit_rows
from reranksmart.values.batches import TextBatch
from reranksmart.values.facts import Facts
from reranksmart.values.pixels import PixelBatch, VisionStates, pictures_of

FACTS = Facts(
    sees="states",
    max_tokens=33,
    scores=("log_odds", "match_logit_plus_cosine"),
    vision_weights=1_011_000_000,  # a ViT-g
    unread_marks=r"[.!\"()*#:;~]",
)


class Blip2(Pretrained):
    """BLIP-2 ITM (Li et al. 2023): learned queries look at an image's states, alone or with a text beside them.

    Its contrastive similarity is the largest of a text's cosines with an image's queries, which no single vector
    gives: ``encode_image`` is the mean of the queries' directions, to be retrieved by. Scores: "log_odds" of the match,
    the mean over the queries, or "match_logit_plus_cosine" as LAVIS ranks: the mean logit of a match alone, to which
    that largest cosine is added.
    """

    facts: ClassVar[Facts] = FACTS
    network_class: ClassVar[type[PreTrainedModel]] = Blip2ForImageTextRetrieval
    towers: ClassVar[dict[str, tuple[str, ...]]] = {"vision": ("vision_model.",)}
    heads: ClassVar[tuple[str, ...]] = ("itm_head.", "text_projection.", "vision_projection.")

    @property
    def positions(self) -> int:
        return self.network.config.qformer_config.max_position_embeddings

    def vision_states(self, images: PixelBatch) -> VisionStates:
        """The vision tower's states (B, S, H); all that the Q-Former reads of an image."""
        pixels, _ = pictures_of(images.to(self.device))
        states = self.network.vision_model(pixel_values=pixels).last_hidden_state
        return VisionStates(states, torch.ones(states.shape[:2], dtype=torch.bool, device=states.device))

    def encode_text(self, texts: TextBatch) -> Tensor:
        """Unit rows (B, D)."""
        texts = self.texts_on_device(texts)
        found = self.network.qformer(
            query_embeds=self.network.embeddings(input_ids=texts.token_ids),
            query_length=0,
            attention_mask=texts.mask.long(),
        )
        return unit_rows(in_float32(self.network.text_projection, found.last_hidden_state[:, 0]))

    def encode_image(self, images: PixelBatch | VisionStates) -> Tensor:
        """Unit rows (B, D)."""
        return unit_rows(self.query_directions(images).mean(dim=1))

    def query_directions(self, images: PixelBatch | VisionStates) -> Tensor:
        """What each query found in each image: unit rows (B, Q, D)."""
        states = self._states(images)
        found = self.network.qformer(query_embeds=self._queries(len(states)), **_seen(states))
        return unit_rows(in_float32(self.network.vision_projection, found.last_hidden_state))

    def score_pairs(self, texts: TextBatch, images: PixelBatch | VisionStates) -> Tensor:
        """Log-odds (B,) that text i matches image i, or what else ``score`` says."""
        require_pairs(texts, images)
        texts, states = self.texts_on_device(texts), self._states(images)
        queries = self._queries(len(states))
        read = torch.ones(queries.shape[:2], dtype=torch.bool, device=self.device)
        found = self.network.qformer(
            query_embeds=self.network.embeddings(input_ids=texts.token_ids, query_embeds=queries),
            query_length=queries.shape[1],
            attention_mask=torch.cat([read, texts.mask], dim=1).long(),
            **_seen(states),
        )
        logits = in_float32(self.network.itm_head, found.last_hidden_state[:, : queries.shape[1]]).mean(dim=1)  # (B, 2)
        if self.config.score == "log_odds":
            return log_odds(logits)
        cosines = (self.query_directions(states) * self.encode_text(texts)[:, None]).sum(dim=-1)  # (B, Q)
        return logits[:, 1] + cosines.amax(dim=1)

    def _states(self, images: PixelBatch | VisionStates) -> VisionStates:
        return self.vision_states(images) if isinstance(images, PixelBatch) else images.to(self.device)

    def _queries(self, images: int) -> Tensor:
        return self.network.query_tokens.expand(images, -1, -1)


def _seen(states: VisionStates) -> dict[str, Tensor]:
    return {"encoder_hidden_states": states.states, "encoder_attention_mask": states.mask.long()}
