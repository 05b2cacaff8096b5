"""How much there is to do, known before any file is there: images, captions and the work of a reading.

Work is counted in operations: two for each weight of the trunk and token that passes it. One pair of a caption and an
image in BERT-base is 11 GFLOP.
"""

from dataclasses import dataclass

from reranksmart.config.backbones import Backbone
from reranksmart.config.schema import Config
from reranksmart.plan.names import languages_read
from reranksmart.values.gallery import Gallery

CAPTION_TOKENS = 16  # with the two special ones; MSCOCO's captions have eleven words
IMPORTED_REGIONS = 50  # what models read of an image, at most
PATCHES = 577  # a picture of 384 x 384 in patches of 16, and the token before them
POSITIONS, FEATURES = 512, 2_060


def images_of(config: Config, dataset: str, split: str) -> int:
    """The images of a split, at most."""
    return config.datasets[dataset].image_count(split)


def captions_of(config: Config, dataset: str, split: str, languages: tuple[str, ...]) -> int:
    """The captions of a split in these languages: five an image, but one in translations and crawled texts."""
    chosen = config.datasets[dataset]
    known = [name for name in languages if name in chosen.languages]
    each = sum(chosen.captions_each(name) for name in known)
    return each * images_of(config, dataset, split)


def items_of(config: Config, backbone: str, dataset: str, split: str) -> int:
    """The captions that a backbone reads of a split, and its images."""
    return captions_of(config, dataset, split, config.backbones[backbone].languages) + images_of(config, dataset, split)


def queries_of(config: Config, backbone: str, gallery: str) -> tuple[int, int]:
    """Captions (of all languages read) and images that ask in a gallery."""
    parsed = Gallery.parse(gallery)
    dataset, split = parsed.places[0]
    languages = languages_read(config, backbone, dataset)
    images = images_of(config, dataset, split)
    captions = captions_of(config, dataset, split, languages)
    if parsed.captions_per_image:
        captions = min(captions, parsed.captions_per_image * images * len(languages))
    return captions, images * len(languages)


def gallery_images(config: Config, gallery: str) -> int:
    return sum(images_of(config, *place) for place in Gallery.parse(gallery).places)


@dataclass(frozen=True)
class Shape:
    """What a model's work follows from. Checkpoints are taken for base models before they are read."""

    width: int = 768
    layers: int = 12
    inner: int = 3072
    entries: int = 30_522
    image_tokens: int | None = None
    """Of an image of pixels; None: as many as there are regions."""
    vision: int = 0
    """The weights of a tower that reads pixels, which every patch passes."""

    @property
    def trunk(self) -> int:
        """The weights that every token passes."""
        return self.layers * (4 * self.width**2 + 2 * self.width * self.inner)

    @property
    def parameters(self) -> int:
        """All weights: the trunk's, a vision tower's where pixels are seen, the vocabulary's and the features'."""
        return self.trunk + self.vision + (self.entries + POSITIONS + FEATURES) * self.width + self.width**2


def shape(config: Config, backbone: str) -> Shape:
    """The shape of a backbone: what it is made with, or that of the published base model."""
    chosen = config.backbones[backbone]
    if not isinstance(chosen, Backbone):
        return Shape(image_tokens=PATCHES, vision=chosen.facts.vision_weights) if chosen.facts.reads_pixels else Shape()
    entries = (chosen.facts.entries if chosen.checkpoint else None) or chosen.vocabulary
    return Shape(chosen.hidden_size, chosen.layers, chosen.intermediate_size, entries)


def vectors_bytes(config: Config, backbone: str, count: int) -> int:
    """Bytes of so many float32 embeddings."""
    return 4 * shape(config, backbone).width * count


def tokens(config: Config, backbone: str, dataset: str, *, captions: int = 0, images: int = 0, pairs: int = 0) -> int:
    """The tokens of so many captions and images read alone, and pairs read together."""
    imported = config.datasets[dataset].region_files is not None
    seen = shape(config, backbone).image_tokens or (IMPORTED_REGIONS if imported else config.regions.maximum)
    return captions * CAPTION_TOKENS + images * (1 + seen) + pairs * (CAPTION_TOKENS + seen)
