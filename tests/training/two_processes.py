"""Trains the toy model in as many processes as were launched, at one go and in two, and writes what each of them saw."""

import json
import signal
import sys
import threading
import time
from pathlib import Path

import torch
import toy

from reranksmart.config.training import Objective
from reranksmart.files.holding import held
from reranksmart.training.assembly import assemble
from reranksmart.training.loop import TerminatedError, train
from reranksmart.training.processes import Processes
from reranksmart.training.state import StateFile

OBJECTIVE = Objective.model_validate(
    {
        "bi_encoder": {"loss": "infonce", "batch_size": 12},
        "cross_encoder": {"batch_size": 9},
        "distillation": {"queries": 4, "candidates": 3},
        "steps": 10,
        "learning_rate": 1e-3,
        "evaluate_every": 10,
        "dev_images": 8,
        "dev_pair_images": 8,
        "checkpoint_every": 5,
    }
)


def trained(folder: Path, *, dropout: float = 0.0, asked_to_end_at: int | None = None) -> dict:
    """The history and a digest of the weights; the last process may be asked to end at a step."""
    torch.set_num_threads(1)
    processes = Processes.launched()
    data, model = toy.training_data(24), toy.model(dropout=dropout)
    training, schedule = assemble(
        model, OBJECTIVE, data, {"bi_encoder": data, "cross_encoder": data}, seed=1, processes=processes
    )
    task = training.tasks["cross_encoder"]
    loss = task.loss

    def asked(model, step):
        if step == asked_to_end_at and processes.rank == processes.count - 1:
            signal.raise_signal(signal.SIGTERM)
        return loss(model, step)

    task.loss = asked
    history = train(training, schedule, StateFile(folder / "training.pt", settings=""), what="train")
    weights = {name: float(value.double().pow(2).sum()) for name, value in model.state_dict().items()}
    return {"processes": processes.count, "rank": processes.rank, "history": history, "weights": weights}


def trained_in_two_goes(folder: Path) -> dict:
    """The same, of a training that ends at its fourth step and goes on while the job of before still writes its state."""
    try:
        trained(folder, dropout=0.1, asked_to_end_at=3)
    except TerminatedError:
        processes, state, late = Processes.launched(), folder / "training.pt", folder / "late.pt"
        if processes.is_first:
            state.rename(late)
            holds = threading.Event()

            def write_late() -> None:
                with held(state):
                    holds.set()
                    time.sleep(1)
                    late.rename(state)

            threading.Thread(target=write_late).start()
            holds.wait()
        processes.any(False)  # all begin now
        return trained(folder, dropout=0.1)
    raise AssertionError("it was not asked to end")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    found = {
        "shared": trained(folder / "shared"),
        "whole": trained(folder / "whole", dropout=0.1),
        "resumed": trained_in_two_goes(folder / "resumed"),
    }
    (folder / f"{found['shared']['rank']}.json").write_text(json.dumps(found))
