"""A training put together from an objective's settings: tasks, optimiser, selection and mining."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch

from reranksmart.config.training import Distillation, Objective
from reranksmart.models.interface import BiEncoder
from reranksmart.models.published_names import published_parameters
from reranksmart.models.single_stream import SingleStream
from reranksmart.training.distillation import DistilledTask
from reranksmart.training.hard_negatives import MinedNegatives
from reranksmart.training.judging import judge, without_false
from reranksmart.training.loop import Schedule, Training, schedule_tasks
from reranksmart.training.mining import Mining
from reranksmart.training.optimisation import (
    ReferenceAdamW,
    linear_schedule,
    parameter_groups,
    reference_parameter_groups,
)
from reranksmart.training.processes import ALONE, Processes
from reranksmart.training.sampling import TrainingData, fitting_batch
from reranksmart.training.selection import bi_encoder_mean_recall, cross_encoder_mean_recall
from reranksmart.training.tasks import ContrastiveTask, InfoNceTask, PairTask, SampledTripletTask, Task, TripletTask


def assemble(
    model: Any,
    objective: Objective,
    train_data: TrainingData,
    dev_data: Mapping[str, TrainingData],
    *,
    seed: int,
    processes: Processes = ALONE,
    miner: BiEncoder | None = None,
) -> tuple[Training, Schedule]:
    """The training of ``model`` for ``objective``; ``dev_data`` holds the data on which each task is evaluated.

    Tasks without such data are not evaluated. ``miner`` finds the hard negatives, if the model does not for itself.
    """
    tasks = _tasks(objective, train_data, seed, processes)
    optimisers: dict[str, Callable[..., torch.optim.Optimizer]] = {
        "adamw": torch.optim.AdamW,
        "fused_adamw": partial(torch.optim.AdamW, fused=True),
        "reference_adamw": ReferenceAdamW,
    }
    optimiser = optimisers[objective.optimiser](weight_groups(model, objective), lr=objective.learning_rate)
    schedule = Schedule(
        tasks=schedule_tasks(list(tasks), objective.schedule),
        steps=objective.steps,
        evaluate_every=objective.evaluate_every,
        checkpoint_every=objective.checkpoint_every,
        accumulation=objective.accumulation,
        summed=objective.accumulated == "sum",
        clip_norm=objective.clip_norm,
        bfloat16=objective.precision == "bfloat16",
    )

    training = Training(
        model=model,
        tasks=tasks,
        optimiser=optimiser,
        learning_rates=linear_schedule(optimiser, steps=objective.steps, warmup_steps=objective.warmup_steps),
        evaluate=partial(_dev_recalls, model, {name: dev_data[name] for name in tasks if name in dev_data}),
        mining=_mining(model, miner or model, objective, train_data, tasks),
        seed=seed,
        processes=processes,
    )
    return training, schedule


def _dev_recalls(model: Any, dev_data: Mapping[str, TrainingData]) -> dict[str, float]:
    """Mean recall on dev by task."""
    measures: dict[str, Callable[[Any, TrainingData], float]] = {
        "bi_encoder": bi_encoder_mean_recall,
        "cross_encoder": cross_encoder_mean_recall,
    }
    return {name: measures[name](model, data) for name, data in dev_data.items()}


def _mining(
    model: Any, miner: Any, objective: Objective, data: TrainingData, tasks: Mapping[str, Task]
) -> Mining | None:
    hard = objective.hard_negatives
    fed = [task for task in tasks.values() if isinstance(task, PairTask | SampledTripletTask)]
    if hard is None or not fed:
        return None

    def judged(mined: MinedNegatives) -> MinedNegatives:
        model.eval()
        return without_false(mined, judge(model, data, mined), below=hard.judged_below or 1.0)

    leave_out = judged if hard.judged_below else None
    return Mining(miner, data, fed, hard.depth, hard.first_at, hard.refresh_every, leave_out)


def weight_groups(model: SingleStream, objective: Objective) -> list[dict[str, Any]]:
    """The model's weights in two groups, decayed and not, as the objective has it."""
    if objective.decay == "reference":
        return reference_parameter_groups(published_parameters(model), weight_decay=objective.weight_decay)
    return parameter_groups(model, weight_decay=objective.weight_decay)


def _tasks(objective: Objective, data: TrainingData, seed: int, processes: Processes) -> dict[str, Task]:
    tasks: dict[str, Task] = {}
    if bi := objective.bi_encoder:
        batch_size = fitting_batch(bi.batch_size, len(data))
        if bi.loss == "triplet":
            contrastive: ContrastiveTask = TripletTask(data, batch_size, seed, bi.margin, processes)
        else:
            contrastive = InfoNceTask(data, batch_size, seed, bi.temperature, processes)
        tasks["bi_encoder"] = _distilled(contrastive, objective) if objective.distillation else contrastive  # type: ignore[assignment]
    if ce := objective.cross_encoder:
        data.require_negatives()
        probability = objective.hard_negatives.probability if objective.hard_negatives else 0.0
        batch_size = fitting_batch(ce.batch_size, len(data))
        softmax = bool(objective.hard_negatives and objective.hard_negatives.draw == "softmax")
        drawn: dict[str, Any] = {"mined_probability": probability, "softmax": softmax}
        tasks["cross_encoder"] = PairTask(data, batch_size, seed, processes=processes, **drawn)
    if sampled := objective.sampled_triplet:
        data.require_negatives()
        sizes = fitting_batch(sampled.batch_size, len(data)), sampled.negatives
        tasks["sampled_triplet"] = SampledTripletTask(data, *sizes, seed, sampled.margin, processes=processes)
    return tasks


def _distilled(task: ContrastiveTask, objective: Objective) -> DistilledTask:
    settings = objective.distillation or Distillation()
    turns = schedule_tasks(objective.tasks, objective.schedule).count("bi_encoder")
    return DistilledTask(
        task,
        ranking=settings.loss == "ranking",
        queries=settings.queries,
        candidates=settings.candidates,
        weight=settings.weight,
        temperature=settings.temperature,
        teacher_temperature=settings.teacher_temperature,
        first_batch=settings.first_at * turns * objective.accumulation,
    )
