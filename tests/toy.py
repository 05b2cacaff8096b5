"""A tiny world for tests of training and retrieval: six things, pictures of two, captions that name both."""

import numpy as np

from reranksmart.families import single_stream
from reranksmart.files.region_store import Regions, RegionStore
from reranksmart.inputs.stored import RegionInputs, TokenisedCaptions
from reranksmart.inputs.tokenisers import train_wordpiece
from reranksmart.models.single_stream import SingleStream
from reranksmart.models.single_stream_config import SingleStreamConfig
from reranksmart.training.sampling import TrainingData
from reranksmart.values.records import Captions

THINGS = ("goat", "apple", "car", "shoe", "drum", "rose")
FEATURES = 16


def captions_and_regions(images: int, *, seed: int = 0) -> tuple[Captions, RegionStore]:
    """Each picture shows two things; its two captions name them in either order."""
    rng = np.random.default_rng(seed)
    looks = np.random.default_rng(99).standard_normal((len(THINGS), FEATURES))
    ids, texts, image_ids, regions = [], [], [], []
    for number in range(images):
        first, second = rng.choice(len(THINGS), size=2, replace=False)
        image_id = f"toy/{number}"
        for order, (a, b) in enumerate(((first, second), (second, first))):
            ids.append(f"{image_id}#{order}")
            texts.append(f"a {THINGS[a]} and a {THINGS[b]}")
            image_ids.append(image_id)
        corners = np.sort(rng.random((2, 2, 2)), axis=1).reshape(2, 4).astype(np.float32)
        seen = looks[[first, second]] + 0.1 * rng.standard_normal((2, FEATURES))
        regions.append(Regions(seen.astype(np.float16), corners, np.zeros(2, np.int32), np.ones(2, np.float32)))
    captions = Captions(tuple(ids), tuple(texts), tuple(image_ids), ("en",) * len(ids))
    return captions, RegionStore.from_regions(list(dict.fromkeys(image_ids)), regions, ("thing",))


def training_data(images: int = 24, *, seed: int = 0) -> TrainingData:
    captions, store = captions_and_regions(images, seed=seed)
    tokeniser = train_wordpiece(captions.texts, size=60)
    tokens = TokenisedCaptions.of(captions, tokeniser, max_tokens=10)
    return TrainingData.of(captions, tokens, RegionInputs(store), captions.relevance())


def model(*, seed: int = 0, dropout: float = 0.1) -> SingleStream:
    config = SingleStreamConfig(
        embedder="oscar",
        vocab_size=60,
        cls_id=2,
        sep_id=3,
        pad_id=0,
        hidden_size=32,
        layers=2,
        heads=2,
        intermediate_size=64,
        max_positions=32,
        feature_size=FEATURES,
        hidden_dropout=dropout,
        attention_dropout=dropout,
        head_dropout=dropout,
    )
    return single_stream(config, seed=seed)
