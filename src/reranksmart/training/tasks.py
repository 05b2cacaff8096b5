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
from reranksmart.training.hard_negatives import MinedNegatives, draw_mined_negatives
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
class PairTask:
    """Each positive pair with one negative, random or mined; binary cross-entropy on the log-odds."""

    data: TrainingData
    batch_size: int
    seed: int
    mined: MinedNegatives | None = None
    mined_probability: float = 0.0
    processes: Processes = ALONE
    name: str = field(default="cross_encoder")

    def loss(self, model: JointModel, step: int) -> Tensor:
        rows = epoch_rows(len(self.data), self.batch_size, seed=self.seed, purpose="cross_encoder", step=step)
        rng = generator_of(self.seed, "negatives", step)
        if self.mined is None:
            negatives = draw_random_negatives(self.data, rows, rng)
        else:
            negatives = draw_mined_negatives(self.data, rows, self.mined, rng, probability=self.mined_probability)
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
