"""CLIP: two towers, so a bi-encoder and nothing else."""

from typing import ClassVar

from torch import Tensor
from transformers import CLIPModel, PreTrainedModel

from reranksmart.models.pretrained import Pretrained, unit_rows
from reranksmart.values.batches import TextBatch
from reranksmart.values.facts import Facts
from reranksmart.values.pixels import PixelBatch, pictures_of

FACTS = Facts(sees="pixels", capabilities=("bi_encoder",), max_tokens=75)


class Clip(Pretrained):
    """CLIP (Radford et al. 2021): projections of the end-of-text state and of the first image state."""

    facts: ClassVar[Facts] = FACTS
    network_class: ClassVar[type[PreTrainedModel]] = CLIPModel
    reads_end: ClassVar[bool] = True
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
