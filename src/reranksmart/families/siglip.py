"""SigLIP, and SigLIP 2 of one resolution: two towers, so a bi-encoder and nothing else."""

from typing import ClassVar

from torch import Tensor
from transformers import PreTrainedModel, SiglipModel

from reranksmart.models.pretrained import Pretrained, padded_to, unit_rows
from reranksmart.values.batches import TextBatch
from reranksmart.values.facts import Facts
from reranksmart.values.pixels import PixelBatch, pictures_of

FACTS = Facts(sees="pixels", capabilities=("bi_encoder",), max_tokens=63)


class Siglip(Pretrained):
    """SigLIP (Zhai et al. 2023), and SigLIP 2 of one resolution.

    Its text tower was trained on texts padded to all its positions, without a mask, and reads its last position: any
    other width of the batch would give other vectors.
    """

    facts: ClassVar[Facts] = FACTS
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
