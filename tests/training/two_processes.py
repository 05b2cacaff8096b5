"""Trains the toy model in as many processes as were launched, and writes what the first of them saw."""

import json
import sys
from pathlib import Path

import torch
import toy

from reranksmart.config.training import Objective
from reranksmart.training.assembly import assemble
from reranksmart.training.loop import train
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


def trained(folder: Path) -> dict:
    """The history and a digest of the weights."""
    torch.set_num_threads(1)
    processes = Processes.launched()
    data, model = toy.training_data(24), toy.model(dropout=0.0)
    training, schedule = assemble(
        model, OBJECTIVE, data, {"bi_encoder": data, "cross_encoder": data}, seed=1, processes=processes
    )
    history = train(training, schedule, StateFile(folder / "training.pt", settings=""), what="train")
    weights = {name: float(value.double().pow(2).sum()) for name, value in model.state_dict().items()}
    return {"processes": processes.count, "rank": processes.rank, "history": history, "weights": weights}


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    found = trained(folder)
    (folder / f"{found['rank']}.json").write_text(json.dumps(found))
