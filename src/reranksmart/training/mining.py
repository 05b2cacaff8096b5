"""Hard negatives of a pair task, mined anew at set steps of its training."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from reranksmart.training.hard_negatives import MinedNegatives, mine
from reranksmart.training.sampling import TrainingData
from reranksmart.training.tasks import PairTask


@dataclass
class Mining:
    """Gives ``task`` the negatives that ``model`` finds at step ``first_at`` and at each ``every``-th step after it.

    Where ``every`` is None, only once: it is another model, which does not learn.
    """

    model: Any
    data: TrainingData
    task: PairTask
    depth: int
    first_at: int
    every: int | None

    def refresh(self, step: int) -> None:
        since = step - self.first_at
        if since == 0 or (self.every and since > 0 and since % self.every == 0):
            self.model.eval()
            self.task.mined = mine(self.model, self.data, depth=self.depth)

    def state_dict(self) -> dict[str, Tensor]:
        """The negatives that the task draws from; empty before the first refresh."""
        mined = self.task.mined
        return {} if mined is None else {name: torch.from_numpy(table) for name, table in vars(mined).items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        if state:
            self.task.mined = MinedNegatives(**{name: tensor.numpy() for name, tensor in state.items()})
