"""The first table of mined negatives is the one that the authors' code makes of the same embeddings."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import normalize

from reranksmart.files.region_store import Regions, RegionStore
from reranksmart.inputs.stored import RegionInputs, TokenisedCaptions
from reranksmart.training.hard_negatives import mine, softmax_of
from reranksmart.training.sampling import TrainingData
from reranksmart.values.records import Captions


class Recorded:
    """A bi-encoder that knows the recorded embeddings: of a caption by its token, of an image by its one feature."""

    def __init__(self, captions: np.ndarray, images: np.ndarray) -> None:
        self.captions, self.images = (normalize(torch.from_numpy(rows)) for rows in (captions, images))

    def encode_text(self, texts):
        return self.captions[texts.token_ids[:, 0]]

    def encode_image(self, regions):
        return self.images[regions.features[:, 0, 0].long()]


def data_of(image_of_caption: np.ndarray, images: int) -> TrainingData:
    ids = [f"x/{image}" for image in image_of_caption]
    rows = range(len(ids))
    captions = Captions(tuple(f"c{row}" for row in rows), ("a caption",) * len(ids), tuple(ids), ("en",) * len(ids))
    tokens = TokenisedCaptions(np.arange(len(ids) + 1), np.arange(len(ids), dtype=np.int32), pad_id=0)
    box, one = np.array([[0, 0, 1, 1]], np.float32), np.ones(1, np.float32)
    regions = [Regions(np.full((1, 1), image, np.float16), box, np.zeros(1, np.int32), one) for image in range(images)]
    store = RegionStore.from_regions([f"x/{image}" for image in range(images)], regions, ())
    return TrainingData.of(captions, tokens, RegionInputs(store), captions.relevance())


def test_the_first_refresh_mines_the_recorded_negatives(recorded):
    with np.load(recorded.data / "hard_negatives.npz") as arrays:
        found = {name: arrays[name] for name in arrays}
    topk = found["images_of_caption"].shape[1]
    data = data_of(found["image_of_caption"], len(found["images"]))
    own = int(np.bincount(found["image_of_caption"]).max())
    mined = mine(Recorded(found["captions"], found["images"]), data, depth=topk + own)
    np.testing.assert_array_equal(mined.images_of_caption[:, :topk], found["images_of_caption"])
    np.testing.assert_array_equal(mined.captions_of_image[:, :topk], found["captions_of_image"])
    for table, cosines, recorded_as in (
        (mined.images_of_caption, mined.image_cosines, "distribution_images"),
        (mined.captions_of_image, mined.caption_cosines, "distribution_captions"),
    ):
        own = softmax_of(table[:, :topk], cosines[:, :topk])
        np.testing.assert_allclose(own, found[recorded_as], atol=1e-6)
