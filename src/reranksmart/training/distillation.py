"""A joint model's cross-encoder teaches its bi-encoder on the candidates that the bi-encoder finds nearest."""

from dataclasses import dataclass, field
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reranksmart.training import objectives
from reranksmart.training.tasks import ContrastiveTask, JointModel, read_by_length


@dataclass
class DistilledTask:
    """A bi-encoder task's loss plus, from batch ``first_batch`` on, ``weight`` times the divergence from the teacher.

    The teacher scores, for the first ``queries`` captions of the batch, the ``candidates`` images of the batch nearest
    to them, their own among them; and the other way round for their images.
    """

    task: ContrastiveTask
    queries: int
    candidates: int
    weight: float
    temperature: float
    teacher_temperature: float
    first_batch: int = 0
    ranking: bool = False
    """Whether only the teacher's order among hard negatives is taught."""
    name: str = field(default="bi_encoder")

    def loss(self, model: JointModel, step: int) -> Tensor:
        batch = self.task.embed(model, step)
        loss = self.task.contrast(batch)
        if step < self.first_batch:
            return loss
        similarities = objectives.cosines(batch.captions, batch.images)
        terms = []
        for cosines, true, queries_are_captions in (
            (similarities, batch.relevant, True),
            (similarities.T, batch.relevant.T, False),
        ):
            asked = cosines[: self.queries]
            if self.ranking:
                asked = asked.masked_fill(true[: self.queries], float("-inf"))
            choose = nearest if self.ranking else nearest_with_own
            items = choose(asked.detach(), self.candidates)  # (Q, C)
            query_rows = np.repeat(np.arange(len(items)), items.shape[1])
            pair = (query_rows, items.ravel()) if queries_are_captions else (items.ravel(), query_rows)
            log_odds = self._teach(model, batch.caption_rows[pair[0]], batch.image_rows[pair[1]])
            places = torch.from_numpy(items).to(asked.device)
            taught, by_teacher = asked.gather(1, places), log_odds.reshape(items.shape).to(asked)
            if self.ranking:
                easy = asked.scatter(1, places, float("-inf"))
                terms.append(objectives.partial_ranking(taught, by_teacher, easy, temperature=self.temperature))
            else:
                temperatures = {"temperature": self.temperature, "teacher_temperature": self.teacher_temperature}
                terms.append(objectives.distillation(taught, by_teacher, **temperatures))
        return loss + self.weight * torch.stack(terms).mean()

    def _teach(self, model: JointModel, caption_rows: NDArray[np.int64], image_rows: NDArray[np.int64]) -> Tensor:
        """Log-odds (P,) without gradient."""
        tokens, regions = self.task.data.tokens, self.task.data.regions
        network = cast(nn.Module, model)
        was_training = network.training
        network.eval()  # a teacher without dropout
        with torch.no_grad():
            log_odds = read_by_length(
                tokens.lengths[caption_rows] + regions.lengths[image_rows],
                lambda part: model.score_pairs(tokens.batch(caption_rows[part]), regions.batch(image_rows[part])),
                self.task.processes,
            )
        network.train(was_training)
        return log_odds


def nearest(cosines: Tensor, count: int) -> NDArray[np.int64]:
    """Columns (Q, ``count``) of the largest cosines (Q, B) of each row, best first."""
    return cosines.topk(count, dim=1).indices.cpu().numpy()


def nearest_with_own(cosines: Tensor, count: int) -> NDArray[np.int64]:
    """Columns (Q, ``count``) of the largest cosines (Q, B) of each row; column i of row i, its own, is always first."""
    ranked = cosines.clone()
    ranked.fill_diagonal_(float("inf"))
    return nearest(ranked, count)
