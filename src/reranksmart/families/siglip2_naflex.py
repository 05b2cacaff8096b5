"""SigLIP 2 NaFlex: the towers of SigLIP over pictures of any shape."""

from typing import ClassVar

from torch import Tensor
from transformers import PreTrainedModel, Siglip2Model

from reranksmart.families.siglip import Siglip
from reranksmart.models.pretrained import unit_rows
from reranksmart.values.facts import Facts
from reranksmart.values.pixels import PixelBatch

FACTS = Facts(sees="pixels", capabilities=("bi_encoder",), max_tokens=63)


class SiglipNaflex(Siglip):
    """SigLIP 2 NaFlex (Tschannen et al. 2025): pictures keep their shape, as a sequence of patches."""

    facts: ClassVar[Facts] = FACTS
    network_class: ClassVar[type[PreTrainedModel]] = Siglip2Model

    def encode_image(self, images: PixelBatch) -> Tensor:
        """Unit rows (B, D)."""
        images = images.to(self.device)
        found = self.network.get_image_features(
            pixel_values=images.patches, pixel_attention_mask=images.mask.long(), spatial_shapes=images.grids
        )
        return unit_rows(found.pooler_output)
