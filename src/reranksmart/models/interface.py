"""What a model can do. Two protocols, so that a model without a pair reading cannot pretend to re-rank."""

from typing import Protocol, runtime_checkable

from torch import Tensor

from reranksmart.values.batches import EmbeddedRegions, EmbeddedTexts, RegionBatch, TextBatch
from reranksmart.values.pixels import PixelBatch, VisionStates
from reranksmart.values.raw import Pictures, Texts, TokenVectors


@runtime_checkable
class BiEncoder(Protocol):
    """Embeds captions and images apart; their inner product is the similarity."""

    def encode_text(self, texts: TextBatch) -> Tensor:
        """Unit rows (B, D)."""

    def encode_image(self, regions: RegionBatch | EmbeddedRegions) -> Tensor:
        """Unit rows (B, D)."""


@runtime_checkable
class CrossEncoder(Protocol):
    """Reads a caption and an image together."""

    def score_pairs(self, texts: TextBatch | EmbeddedTexts, regions: RegionBatch | EmbeddedRegions) -> Tensor:
        """Log-odds (B,) that caption i is true of image i, larger is better."""


@runtime_checkable
class VectorsEncoder(Protocol):
    """Reads captions and images apart, a vector for each token; its pairs compare the vectors (late interaction)."""

    def text_vectors(self, texts: Texts) -> TokenVectors:
        """Vectors (B, T, D), made once a caption."""

    def image_vectors(self, images: Pictures) -> TokenVectors:
        """Vectors (B, S, D), made once an image."""


@runtime_checkable
class ImageMajor(Protocol):
    """Reads an image once for all captions that stand beside it in a batch."""

    @property
    def image_major(self) -> bool:
        """Whether this model does; pairs should come image by image then."""


@runtime_checkable
class StatesEncoder(Protocol):
    """Reads an image alone first, by a tower whose states stand wherever this model takes the image."""

    def vision_states(self, images: PixelBatch | RegionBatch) -> VisionStates:
        """The states (B, S, H): made once an image and stored, so that no pair runs the tower again."""
