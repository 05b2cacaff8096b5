"""One training shared by several processes, each with a GPU of its own where there are some: by accelerate."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """The processes that compute each step of a training together, and which of them this is.

    All of them draw the same batch and hold the same weights. Each reads its share of the batch; all of them see every
    reading, so that a loss over the whole batch, in-batch negatives included, is the one of a single process.
    """

    count: int = 1
    rank: int = 0
    device: torch.device | None = None

    @staticmethod
    def launched() -> "Processes":
        """Those that torchrun (or ``accelerate launch``) started; one where nothing was launched so."""
        if int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return ALONE
        from accelerate import PartialState  # takes seconds, which one process does not need

        state = PartialState(cpu=not torch.cuda.is_available())
        return Processes(state.num_processes, state.process_index, state.device)

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def parts_of(self, count: int) -> int:
        """At least ``count`` parts of a batch, so many that each process has equally many."""
        return -(-count // self.count) * self.count

    def own(self, parts: Sequence[T]) -> Sequence[T]:
        """The parts that this process reads."""
        return parts[self.rank :: self.count]

    def gathered(self, values: Tensor, sizes: Sequence[int]) -> Tensor:
        """The readings (B, ...) of all parts in order; ``values`` are those of this process's own parts.

        Gradients reach only the own ones: the sum over processes of what they give is that of one process.
        """
        if self.count == 1:
            return values
        from accelerate.utils import gather

        counts = [sum(self._of(rank, sizes)) for rank in range(self.count)]
        padded = values.new_zeros(max(counts), *values.shape[1:])
        padded[: len(values)] = values.detach()
        read = gather(padded).split(max(counts))
        by_rank = [
            (values if rank == self.rank else read[rank][: counts[rank]]).split(self._of(rank, sizes))
            for rank in range(self.count)
        ]
        return torch.cat([by_rank[part % self.count][part // self.count] for part in range(len(sizes))])

    def _of(self, rank: int, sizes: Sequence[int]) -> list[int]:
        return list(sizes[rank :: self.count])

    def sum_gradients(self, model: nn.Module) -> None:
        """Gives every process the sum of all gradients."""
        if self.count == 1:
            return
        from accelerate.utils import reduce

        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.grad = reduce(parameter.grad, reduction="sum")

    def any(self, asked: bool) -> bool:
        """Whether any process is asked: all of them get the same answer."""
        if self.count == 1:
            return asked
        from accelerate.utils import gather_object

        return any(gather_object([asked]))

    def place(self, model: Any) -> Any:
        """The model on this process's device."""
        return model if self.device is None else model.to(self.device)


ALONE = Processes()
