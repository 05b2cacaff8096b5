"""A task: a name, and the loss of its batch at a step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reranksmart.models.interface import BiEncoder, CrossEncoder
from reranksmart.training import objectives
from reranksmart.training.hard_negatives import MinedNegatives, draw_by_softmax, draw_mined_negatives
from reranksmart.training.processes import ALONE, Processes
from reranksmart.training.sampling import TrainingData, draw_random_negatives, epoch_rows, generator_of

_ROWS_READ_TOGETHER = 32


class JointModel(BiEncoder, CrossEncoder, Protocol):
    """One set of weights that plays both roles."""


class Task(Protocol):
    name: str

    def loss(self, model: JointModel, step: int) -> Tensor:
        """The scalar loss of batch ``step`` of this task."""


@dataclass(frozen=True)
class EmbeddedBatch:
    """B captions and their images embedded: rows of the data, unit rows (B, D), and what is true of what (B, B)."""

    caption_rows: NDArray[np.int64]
    image_rows: NDArray[np.int64]
    captions: Tensor
    images: Tensor
    relevant: Tensor


class MinedTask(Protocol):
    """A task that draws from mined negatives as soon as there are any."""

    mined: MinedNegatives | None


class ContrastiveTask(Protocol):
    """A bi-encoder task in two parts, so that another term can use its embeddings."""

    name: str
    data: TrainingData
    processes: Processes

    def embed(self, model: BiEncoder, step: int) -> EmbeddedBatch: ...

    def contrast(self, batch: EmbeddedBatch) -> Tensor: ...


@dataclass
class TripletTask:
    """Batch-hard triplets, both directions; true pairs off the diagonal are no negatives."""

    data: TrainingData
    batch_size: int
    seed: int
    margin: float
    processes: Processes = ALONE
    name: str = "bi_encoder"

    def embed(self, model: BiEncoder, step: int) -> EmbeddedBatch:
        return _embedded_batch(self.data, self.batch_size, self.seed, model, step, self.processes)

    def contrast(self, batch: EmbeddedBatch) -> Tensor:
        return objectives.batch_hard_triplet(batch.captions, batch.images, batch.relevant, margin=self.margin)

    def loss(self, model: JointModel, step: int) -> Tensor:
        return self.contrast(self.embed(model, step))


@dataclass
class InfoNceTask:
    """Symmetric InfoNCE; true pairs off the diagonal are no negatives."""

    data: TrainingData
    batch_size: int
    seed: int
    temperature: float
    processes: Processes = ALONE
    name: str = "bi_encoder"

    def embed(self, model: BiEncoder, step: int) -> EmbeddedBatch:
        return _embedded_batch(self.data, self.batch_size, self.seed, model, step, self.processes)

    def contrast(self, batch: EmbeddedBatch) -> Tensor:
        return objectives.info_nce(batch.captions, batch.images, batch.relevant, temperature=self.temperature)

    def loss(self, model: JointModel, step: int) -> Tensor:
        return self.contrast(self.embed(model, step))


def _embedded_batch(
    data: TrainingData, batch_size: int, seed: int, model: BiEncoder, step: int, processes: Processes
) -> EmbeddedBatch:
    rows = epoch_rows(len(data), batch_size, seed=seed, purpose="bi_encoder", step=step)
    image_rows = data.image_rows[rows]
    relevant = torch.from_numpy(data.relevance_mask(rows, image_rows))
    captions = read_by_length(
        data.tokens.lengths[rows], lambda part: model.encode_text(data.tokens.batch(rows[part])), processes
    )
    images = read_by_length(
        data.regions.lengths[image_rows],
        lambda part: model.encode_image(data.regions.batch(image_rows[part])),
        processes,
    )
    return EmbeddedBatch(rows, image_rows, captions, images, relevant.to(captions.device))


def read_by_length(
    lengths: NDArray[np.integer], read: Callable[[NDArray[np.int64]], Tensor], processes: Processes = ALONE
) -> Tensor:
    """What ``read`` gives for all rows, in their order, read in parts of similar length so that little is padding.

    Several processes share the parts.
    """
    order = np.argsort(lengths, kind="stable")
    parts = np.array_split(order, processes.parts_of(-(-len(order) // _ROWS_READ_TOGETHER)))
    place = torch.from_numpy(np.argsort(order, kind="stable"))
    own = torch.cat([read(part) for part in processes.own(parts)])
    return processes.gathered(own, [len(part) for part in parts])[place]


@dataclass
class SampledTripletTask:
    """Each matching pair with ``negatives`` mined images and captions, drawn by the softmax of their cosines (ANCE).

    Before anything was mined, and in the place of what is lacking, negatives are random wrong ones.
    """

    data: TrainingData
    batch_size: int
    negatives: int
    seed: int
    margin: float
    mined: MinedNegatives | None = None
    processes: Processes = ALONE
    name: str = field(default="sampled_triplet")

    def loss(self, model: JointModel, step: int) -> Tensor:
        rows = epoch_rows(len(self.data), self.batch_size, seed=self.seed, purpose=self.name, step=step)
        own = self.data.image_rows[rows]
        wrong_images, wrong_captions = self._draw(rows, own, generator_of(self.seed, self.name, step))
        tokens, regions, size = self.data.tokens, self.data.regions, (len(rows), self.negatives)
        caption_rows, image_rows = (
            np.concatenate([right, wrong.ravel()]) for right, wrong in ((rows, wrong_captions), (own, wrong_images))
        )
        captions = read_by_length(
            tokens.lengths[caption_rows],
            lambda part: model.encode_text(tokens.batch(caption_rows[part])),
            self.processes,
        )
        images = read_by_length(
            regions.lengths[image_rows],
            lambda part: model.encode_image(regions.batch(image_rows[part])),
            self.processes,
        )
        right, wrong = slice(len(rows)), slice(len(rows), None)
        return objectives.sampled_triplet(
            captions[right],
            images[right],
            captions[wrong].reshape(*size, -1),
            images[wrong].reshape(*size, -1),
            margin=self.margin,
        )

    def _draw(
        self, rows: NDArray[np.int64], own: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of wrong images and of wrong captions, both (B, n)."""
        found = []
        for side, asked in (("images", rows), ("captions", own)):
            queries = np.repeat(asked[:, None], self.negatives, axis=1)
            items = np.full(queries.shape, -1, dtype=np.int64)
            if self.mined is not None:
                table, cosines = {
                    "images": (self.mined.images_of_caption, self.mined.image_cosines),
                    "captions": (self.mined.captions_of_image, self.mined.caption_cosines),
                }[side]
                drawn = draw_by_softmax(table[asked], cosines[asked], rng, count=self.negatives)
                items[:, : drawn.shape[1]] = drawn
            size = len(self.data.regions) if side == "images" else len(self.data)
            while True:
                captions, images = (queries, items) if side == "images" else (items, queries)
                lacking = (items < 0) | self.data.is_relevant(captions.ravel(), images.ravel()).reshape(items.shape)
                if not lacking.any():
                    break
                items[lacking] = rng.integers(size, size=int(lacking.sum()))
            found.append(items)
        return found[0], found[1]


@dataclass
class PairTask:
    """Each positive pair with one negative, random or mined; binary cross-entropy on the log-odds."""

    data: TrainingData
    batch_size: int
    seed: int
    mined: MinedNegatives | None = None
    mined_probability: float = 0.0
    softmax: bool = False
    processes: Processes = ALONE
    name: str = field(default="cross_encoder")

    def loss(self, model: JointModel, step: int) -> Tensor:
        rows = epoch_rows(len(self.data), self.batch_size, seed=self.seed, purpose="cross_encoder", step=step)
        rng = generator_of(self.seed, "negatives", step)
        if self.mined is None:
            negatives = draw_random_negatives(self.data, rows, rng)
        else:
            negatives = draw_mined_negatives(
                self.data, rows, self.mined, rng, probability=self.mined_probability, softmax=self.softmax
            )
        caption_rows = np.concatenate([rows, negatives[0]])
        image_rows = np.concatenate([self.data.image_rows[rows], negatives[1]])
        labels = torch.zeros(len(caption_rows))
        labels[: len(rows)] = 1.0
        tokens, regions = self.data.tokens, self.data.regions
        log_odds = read_by_length(
            tokens.lengths[caption_rows] + regions.lengths[image_rows],
            lambda part: model.score_pairs(tokens.batch(caption_rows[part]), regions.batch(image_rows[part])),
            self.processes,
        )
        return objectives.pair_cross_entropy(log_odds, labels.to(log_odds.device))
