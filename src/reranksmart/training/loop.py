"""The training loop: tasks in turn, one optimiser step each; selection on dev; resumable at any step."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from reranksmart.files.holding import held
from reranksmart.run.observation import FILE_NAME, Observer
from reranksmart.run.progress import progress
from reranksmart.training.mining import Mining
from reranksmart.training.processes import ALONE, Processes
from reranksmart.training.state import StateFile, termination_watched
from reranksmart.training.tasks import Task

_STEPS_PER_HISTORY_ROW = 10


class TerminatedError(Exception):
    """The process was asked to end; the state is saved."""


@dataclass(frozen=True)
class Schedule:
    """How long to train and when to do what, in outer steps (one outer step runs every entry of ``tasks``)."""

    tasks: tuple[str, ...]
    steps: int
    evaluate_every: int
    checkpoint_every: int
    accumulation: int = 1
    summed: bool = False
    """Whether the losses of accumulated batches are added, as in the published code; else they are averaged."""
    clip_norm: float = 1.0
    bfloat16: bool = False


@dataclass
class Training:
    """A model in training. ``evaluate`` gives dev recall by task; ``mining`` is refreshed before each outer step."""

    model: nn.Module
    tasks: Mapping[str, Task]
    optimiser: torch.optim.Optimizer
    learning_rates: torch.optim.lr_scheduler.LRScheduler
    evaluate: Callable[[], Mapping[str, float]]
    seed: int
    mining: Mining | None = None
    processes: Processes = ALONE


def train(training: Training, schedule: Schedule, state_file: StateFile, *, what: str) -> list[dict[str, Any]]:
    """The history (one row per ten steps and task, one per evaluation); the model ends with its best dev weights.

    Where nothing is evaluated it ends with its last ones.

    Resumes from ``state_file``; bit for bit as if never interrupted, on one device and thread count. Raises
    TerminatedError after SIGTERM, with the state saved. Of several processes the first writes, and holds the state.
    """
    with held(state_file.path) if training.processes.is_first else nullcontext():
        training.processes.any(False)  # who holds the state may wait for it; until then none of the others reads it
        return _train(training, schedule, state_file, what=what)


def _train(training: Training, schedule: Schedule, state_file: StateFile, *, what: str) -> list[dict[str, Any]]:
    history: list[dict[str, Any]] = []
    recent: dict[str, list[float]] = defaultdict(list)
    best: dict[str, Any] = {"score": float("-inf"), "weights": {}, "step": -1}
    start = 0
    if state := state_file.load():
        start, history, best = state["step"], state["history"], state["best"]
        training.model.load_state_dict(state["model"])
        training.optimiser.load_state_dict(state["optimiser"])
        training.learning_rates.load_state_dict(state["learning_rates"])
        if training.mining:
            training.mining.load_state_dict(state["mining"])
        recent.update(state["recent"])

    def save(step: int) -> None:
        if not training.processes.is_first:
            return
        state_file.save(
            {
                "step": step,
                "history": history,
                "recent": dict(recent),
                "best": best,
                "model": training.model.state_dict(),
                "optimiser": training.optimiser.state_dict(),
                "learning_rates": training.learning_rates.state_dict(),
                "mining": training.mining.state_dict() if training.mining else {},
            }
        )

    training.optimiser.zero_grad(set_to_none=True)  # what another stage left behind is no part of this training
    observer = Observer(state_file.path.with_name(FILE_NAME), start=start, steps=schedule.steps)
    with termination_watched() as termination:
        for step in progress(range(start, schedule.steps), what=what, total=schedule.steps, start=start):
            if training.mining:
                training.mining.refresh(step)
            _outer_step(training, schedule, step, recent)
            done = step + 1
            if training.processes.is_first:
                observer.saw(done, recent, history)
            if done % _STEPS_PER_HISTORY_ROW == 0:
                history += [
                    {"step": done, "task": task, "loss": sum(losses) / len(losses)} for task, losses in recent.items()
                ]
                recent.clear()
            if done % schedule.evaluate_every == 0 or done == schedule.steps:
                training.model.eval()
                recalls = dict(training.evaluate())
                score = sum(recalls.values()) / max(1, len(recalls))
                if recalls:
                    found = {f"dev_{name}": value for name, value in recalls.items()}
                    history.append({"step": done, "dev_mean_recall": score, **found})
                if recalls and score > best["score"]:
                    weights = {name: tensor.clone() for name, tensor in training.model.state_dict().items()}
                    best = {"score": score, "weights": weights, "step": done}
            if training.processes.any(termination.requested):
                save(done)
                raise TerminatedError(
                    f"asked to end after step {done} of {schedule.steps}; the same command continues there"
                )
            if done % schedule.checkpoint_every == 0:
                save(done)
    training.model.eval()
    if best["weights"]:
        training.model.load_state_dict(best["weights"])
        history.append({"step": best["step"], "selected": True, "dev_mean_recall": best["score"]})
    return history


def _outer_step(training: Training, schedule: Schedule, step: int, recent: dict[str, list[float]]) -> None:
    training.model.train()
    # Dropout reads the global generator: seeding it by step makes a resumed run draw what an unbroken one draws.
    torch.manual_seed(training.seed * 1_000_003 + step + training.processes.rank * 15_485_863)
    device = next(training.model.parameters()).device
    turns: dict[str, int] = defaultdict(int)
    for name in schedule.tasks:
        turn, per_step = turns[name], schedule.tasks.count(name)
        turns[name] += 1
        loss_sum, parts = 0.0, 1 if schedule.summed else schedule.accumulation
        for part in range(schedule.accumulation):
            batch = (step * per_step + turn) * schedule.accumulation + part
            with torch.autocast(device.type, torch.bfloat16, enabled=schedule.bfloat16):
                loss = training.tasks[name].loss(training.model, batch) / parts  # type: ignore[arg-type]
            loss.backward()
            loss_sum += loss.item()
        training.processes.sum_gradients(training.model)
        torch.nn.utils.clip_grad_norm_(training.model.parameters(), schedule.clip_norm)
        training.optimiser.step()
        training.optimiser.zero_grad(set_to_none=True)
        if loss_sum != loss_sum:
            raise FloatingPointError(f"the loss of task {name!r} is NaN at step {step}; lower the learning rate")
        recent[name].append(loss_sum)
    training.learning_rates.step()


def schedule_tasks(tasks: Sequence[str], schedule: Sequence[str]) -> tuple[str, ...]:
    """The tasks of one outer step: as scheduled, else each once."""
    return tuple(schedule) or tuple(tasks)
