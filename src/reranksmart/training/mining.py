"""Hard negatives of tasks, mined anew at set steps of their training."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from reranksmart.training.hard_negatives import MinedNegatives, mine
from reranksmart.training.sampling import TrainingData
from reranksmart.training.tasks import MinedTask


@dataclass
class Mining:
    """Gives ``tasks`` the negatives that ``model`` finds at step ``first_at`` and at each ``every``-th step after it.

    Where ``every`` is None, only once: it is another model, which does not learn.
    """

    model: Any
    data: TrainingData
    tasks: Sequence[MinedTask]
    depth: int
    first_at: int
    every: int | None
    judge: Callable[[MinedNegatives], MinedNegatives] | None = None
    """Leaves out what is no negative after all."""

    def refresh(self, step: int) -> None:
        since = step - self.first_at
        if since == 0 or (self.every and since > 0 and since % self.every == 0):
            self.model.eval()
            mined = mine(self.model, self.data, depth=self.depth)
            self._give(self.judge(mined) if self.judge else mined)

    def _give(self, mined: MinedNegatives) -> None:
        for task in self.tasks:
            task.mined = mined

    def state_dict(self) -> dict[str, Tensor]:
        """The negatives that the tasks draw from; empty before the first refresh."""
        mined = self.tasks[0].mined
        return {} if mined is None else {name: torch.from_numpy(table) for name, table in vars(mined).items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        if state:
            self._give(MinedNegatives(**{name: tensor.numpy() for name, tensor in state.items()}))
