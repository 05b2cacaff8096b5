"""CLIP, SigLIP and SigLIP 2: two towers, so a bi-encoder and nothing else."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from transformers import CLIPModel, PreTrainedModel, Siglip2Model, SiglipModel

from reranksmart.models.pretrained import Pretrained, padded_to, unit_rows
from reranksmart.values.batches import TextBatch
from reranksmart.values.pixels import PixelBatch, pictures_of


class Clip(Pretrained):
    """CLIP (Radford et al. 2021): projections of the end-of-text state and of the first image state."""

    network_class: ClassVar[type[PreTrainedModel]] = CLIPModel
    towers: ClassVar[dict[str, tuple[str, ...]]] = {"vision": ("vision_model.",), "text": ("text_model.",)}
    heads: ClassVar[tuple[str, ...]] = ("visual_projection.", "text_projection.", "logit_scale")

    def encode_text(self, texts: TextBatch) -> Tensor:
        """Unit rows (B, D)."""
        texts = self.texts_on_device(texts)
        found = self.network.get_text_features(input_ids=texts.token_ids, attention_mask=texts.mask.long())
        return unit_rows(found.pooler_output)

    def encode_image(self, images: PixelBatch) -> Tensor:
        """Unit rows (B, D)."""
        pixels, _ = pictures_of(images.to(self.device))
        return unit_rows(self.network.get_image_features(pixel_values=pixels).pooler_output)


class Siglip(Pretrained):
    """SigLIP (Zhai et al. 2023), and SigLIP 2 of one resolution.

    Its text tower was trained on texts padded to all its positions, without a mask, and reads its last position: any
    other width of the batch would give other vectors.
    """

    network_class: ClassVar[type[PreTrainedModel]] = SiglipModel
    towers: ClassVar[dict[str, tuple[str, ...]]] = {"vision": ("vision_model.",), "text": ("text_model.",)}
    heads: ClassVar[tuple[str, ...]] = ("text_model.head.", "vision_model.head.", "logit_scale", "logit_bias")

    def encode_text(self, texts: TextBatch) -> Tensor:
        """Unit rows (B, D)."""
        token_ids = padded_to(self.texts_on_device(texts), self.positions, pad_id=self.config.pad_id)
        return unit_rows(self.network.get_text_features(input_ids=token_ids).pooler_output)

    def encode_image(self, images: PixelBatch) -> Tensor:
        """Unit rows (B, D)."""
        pixels, _ = pictures_of(images.to(self.device))
        return unit_rows(self.network.get_image_features(pixel_values=pixels).pooler_output)


class SiglipNaflex(Siglip):
    """SigLIP 2 NaFlex (Tschannen et al. 2025): pictures keep their shape, as a sequence of patches."""

    network_class: ClassVar[type[PreTrainedModel]] = Siglip2Model

    def encode_image(self, images: PixelBatch) -> Tensor:
        """Unit rows (B, D)."""
        images = images.to(self.device)
        found = self.network.get_image_features(
            pixel_values=images.patches, pixel_attention_mask=images.mask.long(), spatial_shapes=images.grids
        )
        return unit_rows(found.pooler_output)
