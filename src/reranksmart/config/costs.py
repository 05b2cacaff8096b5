"""What is timed, and the evaluations whose time is planned."""

from pydantic import Field

from reranksmart.values.factories import Factory
from reranksmart.values.settings import Count, Frozen, Name, Names


class Latency(Frozen):
    backbone: Name = Field(description="of the timed systems")
    training_set: Name = Field(description="of the timed systems")
    test_set: Name = Field(description="whose queries are timed")
    systems: Names = Field(description="that are timed")
    gallery_sizes: tuple[Count, ...] = Field(
        min_length=1, description="images; beyond the test set's, distractor vectors"
    )
    depths: tuple[Count, ...] = Field((10, 20, 50), min_length=1, description="k, the candidates re-ranked")
    queries: Count = Field(20, description="timed queries of each point")
    warmup: Count = Field(3, description="queries that are not timed, before each point")
    pairs_measured: Count = Field(5000, description="largest gallery the exhaustive cross-encoder is really run on")
    indexes: tuple[Factory, ...] = Field(
        ("Flat", "HNSW32", "IVF64,Flat"), min_length=1, description="faiss factory strings compared"
    )
    index_vectors: Count = Field(20_000, description="vectors of the gallery on which indexes are compared")


class Network(Frozen):
    """The size of a single-stream network; the default is the paper's OSCAR-base."""

    vocab_size: Count = Field(30_522, description="pieces of words")
    hidden_size: Count = Field(768, description="width of a token")
    layers: Count = Field(12, description="of the trunk")
    heads: Count = Field(12, description="of attention in each layer")
    intermediate_size: Count = Field(3072, description="width inside a layer")
    feature_size: Count = Field(2048, description="numbers of a region's feature")


class Timed(Frozen):
    captions: Count = Field(64, description="a repeat")
    images: Count = Field(24, description="a repeat")
    pairs: Count = Field(24, description="a repeat")


class Card(Frozen):
    """A card that is not at hand: its rows in the table are estimates and called so."""

    tflops: float = Field(gt=0, description="bfloat16 products it can do, 10^12 operations a second")
    pairs_a_second: float = Field(gt=0, description="aimed at")


class PlannedEvaluation(Frozen):
    """A whole evaluation of the paper's size, planned from rates of a network of its size with random weights."""

    network: Network = Network()
    captions: Count = Field(25_000, description="of the planned evaluation")
    images: Count = Field(5_000, description="of the planned evaluation")
    depth: Count = Field(20, description="k, the candidates re-ranked")
    tokens: Count = Field(14, description="of a caption, special tokens included")
    regions: Count = Field(50, description="of an image")
    timed: Timed = Field(Timed(), description="how many of each are timed")
    repeats: Count = Field(2, description="of each timing")
    cards: dict[str, Card] = Field({}, description="cards whose times are estimated, by name")
