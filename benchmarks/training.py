"""Training against a plain loop: tokens a second, and whether the losses are the same.

    python benchmarks/training.py --threads 1

The plain loop pads each batch to its longest row, in one piece, in float32, with AdamW's loop over weights. The project
reads parts of similar length; ``fused_adamw`` and ``precision: bfloat16`` are settings of an objective.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from measuring import provenance, times_as_fast, write
from measuring import seconds as clocked
from scipy.sparse import csr_array
from worlds import captions, model, regions

from reranksmart.config.training import Objective
from reranksmart.inputs.stored import RegionInputs
from reranksmart.training import objectives
from reranksmart.training.assembly import assemble
from reranksmart.training.loop import Training, _outer_step
from reranksmart.training.sampling import TrainingData, draw_random_negatives, epoch_rows, generator_of
from reranksmart.values.records import Captions

PLAIN = "plain loop, float32"
VARIANTS = {
    "by length, float32": {},
    "by length, float32, fused": {"optimiser": "fused_adamw"},
    "by length, bfloat16, fused": {"optimiser": "fused_adamw", "precision": "bfloat16"},
}


def data(folder: Path, images: int) -> TrainingData:
    """One caption an image; captions of 10 to 18 tokens, images of 20 to 50 regions."""
    inputs, tokens = RegionInputs(regions(folder, images, fewest=20)), captions(images)
    ids = inputs.store.image_ids
    texts = Captions(tuple(f"{id_}#0" for id_ in ids), ("a thing",) * images, ids, ("en",) * images)
    return TrainingData(texts, tokens, inputs, np.arange(images), csr_array(np.eye(images, dtype=bool)))


def plain_step(net, optimiser, rows: TrainingData, task: str, batch_size: int, step: int) -> float:
    """One step of what plain code does."""
    net.train()
    chosen = epoch_rows(len(rows), batch_size, seed=1, purpose=task, step=step)
    if task == "bi_encoder":
        texts, images = net.encode_text(rows.tokens.batch(chosen)), net.encode_image(rows.regions.batch(chosen))
        relevant = torch.from_numpy(rows.relevance_mask(chosen, chosen))
        loss = objectives.batch_hard_triplet(texts, images, relevant, margin=0.1)
    else:
        negatives = draw_random_negatives(rows, chosen, generator_of(1, "negatives", step))
        pairs = np.concatenate([chosen, negatives[0]]), np.concatenate([chosen, negatives[1]])
        labels = torch.cat([torch.ones(len(chosen)), torch.zeros(len(chosen))])
        scores = net.score_pairs(rows.tokens.batch(pairs[0]), rows.regions.batch(pairs[1]))
        loss = objectives.pair_cross_entropy(scores, labels)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return float(loss.detach())


def stepper(settings: dict, rows: TrainingData, task: str, options: argparse.Namespace) -> Callable[[int], float]:
    """A function that takes one step of the project's own loop and gives its loss."""
    objective = Objective(
        **{task: {"batch_size": options.batch_size}}, steps=10_000, learning_rate=options.learning_rate, **settings
    )
    net = model(hidden_size=options.hidden_size, layers=options.layers, dropout=0.0)
    training, schedule = assemble(net, objective, rows, {}, seed=1)
    return partial(_own_step, training, schedule)


def _own_step(training: Training, schedule, step: int) -> float:
    recent: dict[str, list[float]] = {name: [] for name in schedule.tasks}
    _outer_step(training, schedule, step, recent)
    return next(iter(recent.values()))[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--hidden-size", type=int, default=768)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--tasks", nargs="+", default=["bi_encoder", "cross_encoder"])
    parser.add_argument("--name", default="training")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    record = {"what": "one training step", **provenance(threads=options.threads), "tasks": {}}
    record |= {name: getattr(options, name) for name in ("batch_size", "hidden_size", "layers", "steps")}
    with tempfile.TemporaryDirectory() as scratch:
        rows = data(Path(scratch) / "regions", max(64, 4 * options.batch_size))
        for task in options.tasks:
            net = model(hidden_size=options.hidden_size, layers=options.layers, dropout=0.0)
            optimiser = torch.optim.AdamW(net.parameters(), lr=options.learning_rate, weight_decay=0.05, foreach=False)
            steppers = {PLAIN: partial(plain_step, net, optimiser, rows, task, options.batch_size)}
            steppers |= {name: stepper(settings, rows, task, options) for name, settings in VARIANTS.items()}
            times: dict[str, list[dict[str, float]]] = {name: [] for name in steppers}
            losses: dict[str, list[float]] = {name: [] for name in steppers}
            for step in range(options.steps):
                for name, take in steppers.items():
                    times[name].append(clocked(lambda: losses[name].append(take(step))))  # noqa: B023
                    print(f"{task} step {step} {name}: {times[name][-1]}, loss {losses[name][-1]:.4f}", flush=True)
            kept = {name: own[1:] for name, own in times.items()}  # the first step allocates
            found = {"seconds_a_step": times, "losses": losses, "times_as_fast": times_as_fast(kept, PLAIN)}
            record["tasks"][task] = found | {
                "largest_loss_difference": {
                    name: float(np.abs(np.subtract(own, losses[PLAIN])).max()) for name, own in losses.items()
                }
            }
            write(options.name, record)


if __name__ == "__main__":
    main()
