"""ViLT: one transformer over a text's tokens and a picture's patches, without a vision tower."""

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import interpolate, linear, pad
from transformers import PreTrainedModel, ViltForImageAndTextRetrieval

from reranksmart.models.pooling import mean_direction
from reranksmart.models.pretrained import Pretrained, in_float32, require_pairs
from reranksmart.values.batches import TextBatch
from reranksmart.values.facts import Facts
from reranksmart.values.pixels import PixelBatch

FACTS = Facts(sees="pixels", max_tokens=38)


class Vilt(Pretrained):
    """ViLT (Kim et al. 2021): a cross-encoder; a bi-encoder after fine-tuning, as the mean of either half read alone.

    Its one logit was trained against other texts of the same image, so that it is the log-odds of a match up to a
    number of its own. Every patch is read, where its class draws some of them at random from large pictures.
    """

    facts: ClassVar[Facts] = FACTS
    network_class: ClassVar[type[PreTrainedModel]] = ViltForImageAndTextRetrieval
    heads: ClassVar[tuple[str, ...]] = ("rank_output.",)
    fresh: ClassVar[tuple[str, ...]] = heads
    unused: ClassVar[tuple[str, ...]] = ("mlm_score.",)

    def encode_text(self, texts: TextBatch) -> Tensor:
        """Unit rows (B, H): the mean over the text's tokens."""
        texts = self.texts_on_device(texts)
        no_patches = torch.zeros(len(texts), 0, self.network.config.hidden_size, device=self.device)
        found = self._read(texts, no_patches, texts.mask[:, :0])
        return mean_direction(found.last_hidden_state, texts.mask)

    def encode_image(self, images: PixelBatch) -> Tensor:
        """Unit rows (B, H): the mean over the picture's first token and its patches."""
        tokens, mask = self._patches(images)
        nothing = TextBatch(torch.zeros(len(images), 0, dtype=torch.int64, device=self.device), mask[:, :0])
        return mean_direction(self._read(nothing, tokens, mask).last_hidden_state, mask)

    def score_pairs(self, texts: TextBatch, images: PixelBatch) -> Tensor:
        """The logit (B,) float32 that text i matches image i."""
        require_pairs(texts, images)
        found = self._read(self.texts_on_device(texts), *self._patches(images))
        return in_float32(self.network.rank_output, found.pooler_output)[:, 0]

    def _read(self, texts: TextBatch, patches: Tensor, mask: Tensor):
        return self.network.vilt(
            input_ids=texts.token_ids, attention_mask=texts.mask.long(), image_embeds=patches, pixel_mask=mask.long()
        )

    def _patches(self, images: PixelBatch) -> tuple[Tensor, Tensor]:
        """Input tokens (B, 1 + P, H) of pictures, the first of each its own, and their mask (B, 1 + P)."""
        images = images.to(self.device)
        embeddings = self.network.vilt.embeddings
        projection = embeddings.patch_embeddings.projection  # a convolution whose stride is its width
        weight = projection.weight.permute(0, 2, 3, 1).flatten(1)  # (H, 3 s²), as patches lie
        tokens = linear(images.patches.to(weight.dtype), weight, projection.bias) + self._positions_of(images)
        first = (embeddings.cls_token + embeddings.position_embeddings[:, :1]).expand(len(images), -1, -1)
        mask = torch.cat([images.mask.new_ones(len(images), 1), images.mask], dim=1)
        return embeddings.dropout(torch.cat([first, tokens], dim=1)), mask

    def _positions_of(self, images: PixelBatch) -> Tensor:
        """Position embeddings (B, P, H): the square of the pretraining, stretched to each picture's grid."""
        square = self.network.vilt.embeddings.position_embeddings[0, 1:]
        side, longest = round(len(square) ** 0.5), images.patches.shape[1]
        whole = square.T.reshape(1, -1, side, side)
        grids = [tuple(grid) for grid in images.grids.tolist()]
        stretched = {}
        for grid in set(grids):
            found = interpolate(whole, size=grid, mode="bilinear", align_corners=True)[0].flatten(1).T
            stretched[grid] = pad(found, (0, 0, 0, longest - len(found)))
        return torch.stack([stretched[grid] for grid in grids])
