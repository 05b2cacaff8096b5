import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_networks import small_model
from toy import FEATURES, model, training_data

from reranksmart.config.training import Objective
from reranksmart.models.tuning import add_adapters, checkpoint_activations
from reranksmart.training.assembly import assemble
from reranksmart.training.hard_negatives import mine
from reranksmart.training.loop import TerminatedError, train
from reranksmart.training.state import StateFile, identity_of

OBJECTIVE = Objective.model_validate(
    {
        "bi_encoder": {"loss": "infonce", "batch_size": 8},
        "cross_encoder": {"batch_size": 8},
        "hard_negatives": {"refresh_every": 8, "first_at": 4, "depth": 10, "probability": 0.5},
        "steps": 24,
        "learning_rate": 1e-3,
        "warmup_steps": 2,
        "evaluate_every": 10,
        "checkpoint_every": 5,
    }
)
DATA, DEV, FEW = training_data(24), training_data(12, seed=7), training_data(8, seed=5)


def training(objective=OBJECTIVE, *, seed=1):
    torch.set_num_threads(1)
    fresh = model(seed=3)
    dev = {"bi_encoder": DEV, "cross_encoder": DEV}
    return (fresh, *assemble(fresh, objective, DATA, dev, seed=seed))


def run(tmp_path, objective=OBJECTIVE, *, seed=1):
    fresh, started, schedule = training(objective, seed=seed)
    history = train(started, schedule, StateFile(tmp_path / "state.pt", "settings"), what="test")
    return fresh.state_dict(), history


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_the_same_seed_gives_the_same_weights_bit_for_bit(tmp_path):
    one, two, other = run(tmp_path / "a"), run(tmp_path / "b"), run(tmp_path / "c", seed=2)
    assert same(one[0], two[0])
    assert one[1] == two[1]
    assert not same(one[0], other[0])


TASKS = {"bi_encoder": {"loss": "infonce", "batch_size": 8}, "cross_encoder": {"batch_size": 4}}
HARD = {"first_at": 2, "depth": 6, "probability": 0.5}
TAUGHT = {"queries": 4, "candidates": 3, "first_at": 1}
KINDS = {
    "three tasks in bfloat16, negatives judged": {
        **TASKS,
        "sampled_triplet": {"batch_size": 3, "negatives": 2},
        "hard_negatives": {**HARD, "refresh_every": 6, "draw": "softmax", "judged_below": 0.9},
        "distillation": TAUGHT,
        "precision": "bfloat16",
        "optimiser": "fused_adamw",
    },
    "triplets by the published optimiser": {
        **TASKS,
        "bi_encoder": {"loss": "triplet", "batch_size": 8},
        "hard_negatives": {**HARD, "refresh_every": 5},
        "distillation": {**TAUGHT, "loss": "ranking"},
        "schedule": ["bi_encoder", "cross_encoder", "bi_encoder"],
        "cached_layers": 1,
        "accumulated": "sum",
        "optimiser": "reference_adamw",
        "decay": "reference",
    },
    "negatives of another model": {
        "cross_encoder": TASKS["cross_encoder"],
        "hard_negatives": {**HARD, "mined_by": "bi_encoder"},
    },
    "adapters beside recomputed activations": TASKS,
}


def begun(kind):
    """A training of 11 steps with dropout, warm-up and accumulation, begun as a job begins it."""
    every = {"steps": 11, "warmup_steps": 2, "accumulation": 2, "evaluate_every": 6, "checkpoint_every": 1}
    objective = Objective.model_validate({"learning_rate": 1e-3, **every, **KINDS[kind]})
    torch.set_num_threads(1)
    if kind.startswith("adapters"):
        fresh = small_model("visualbert", seed=3, words=60, cls_id=2, sep_id=3, pad_id=0, feature_size=FEATURES)
        add_adapters(fresh, rank=2, alpha=4, dropout=0.1, seed=1)
        checkpoint_activations(fresh)
    else:
        fresh = model(seed=3).with_cached_layers(objective.cached_layers)
    dev = dict.fromkeys(("bi_encoder", "cross_encoder"), FEW)
    return assemble(fresh, objective, FEW, dev, seed=1, miner=model(seed=5).eval() if "negatives of" in kind else None)


class EndsOnceSaved(StateFile):
    """The state of a training that is killed whenever it has been saved."""

    def save(self, state):
        super().save(state)
        raise KeyboardInterrupt


def agree(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(agree(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(agree, one, other))
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_killed_after_every_step_ends_as_the_unbroken_one(tmp_path, kind):
    """So that whatever a step reads, the steps before it have saved."""
    whole = StateFile(tmp_path / "whole.pt", "settings")
    history = train(*begun(kind), whole, what="test")
    cut = EndsOnceSaved(tmp_path / "cut.pt", "settings")
    for _ in range(11):
        with pytest.raises(KeyboardInterrupt):
            train(*begun(kind), cut, what="test")
    assert agree(train(*begun(kind), cut, what="test"), history)
    assert agree(cut.load(), whole.load())


def test_a_training_that_is_asked_to_end_saves_its_state_wherever_it_is(tmp_path):
    whole, whole_history = run(tmp_path / "whole")
    _, started, schedule = training()
    assert started.mining
    refresh = started.mining.refresh

    def interrupt(number):
        if number == 13:
            signal.raise_signal(signal.SIGTERM)
        refresh(number)

    started.mining.refresh = interrupt
    with pytest.raises(TerminatedError, match="after step 14 of 24"):
        train(started, schedule, StateFile(tmp_path / "cut" / "state.pt", "settings"), what="test")
    resumed, resumed_history = run(tmp_path / "cut")
    assert same(whole, resumed)
    assert whole_history == resumed_history


def test_a_state_of_other_settings_is_ignored(tmp_path):
    StateFile(tmp_path / "state.pt", "settings").save({"step": 5})
    assert StateFile(tmp_path / "state.pt", "other settings").load() is None


def test_training_learns_the_toy_world(tmp_path):
    objective = OBJECTIVE.model_copy(update={"steps": 150, "hard_negatives": None, "evaluate_every": 50})
    _, history = run(tmp_path, objective)
    losses = [row["loss"] for row in history if row.get("task") == "bi_encoder"]
    assert losses[-1] < losses[0] - 0.5


class SumOfBiases:
    """A task whose gradient is one for each entry of one bias, whatever the batch."""

    name = "bi_encoder"

    def loss(self, model, step):
        return model.pooler.dense.bias.sum()


@pytest.mark.parametrize(("accumulated", "step"), [("mean", 1), ("sum", 4)])  # the published loop sums
def test_accumulation_averages_gradients_or_sums_them(tmp_path, accumulated, step):
    fresh = model()
    before = fresh.pooler.dense.bias.detach().clone()
    optimiser = torch.optim.SGD(fresh.parameters(), lr=1.0)
    _, started, _ = training()
    started.model, started.tasks, started.optimiser = fresh, {"bi_encoder": SumOfBiases()}, optimiser
    started.learning_rates = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1.0)
    started.refresh = lambda step: None
    settings = {
        "steps": 1,
        "warmup_steps": 0,
        "evaluate_every": 1,
        "checkpoint_every": 9,
        "accumulation": 4,
        "clip_norm": 1e9,
    }
    objective = OBJECTIVE.model_copy(update={**settings, "accumulated": accumulated})
    schedule = replace(assemble(fresh, objective, DATA, {}, seed=1)[1], tasks=("bi_encoder",))
    train(started, schedule, StateFile(tmp_path / "s.pt", ""), what="test")
    assert torch.allclose(before - fresh.pooler.dense.bias, step * torch.ones_like(before))


def test_the_best_dev_weights_are_kept(tmp_path):
    _, history = run(tmp_path)
    dev = {row["step"]: row["dev_mean_recall"] for row in history if "dev_bi_encoder" in row}
    assert history[-1] == {"step": max(dev, key=dev.get), "selected": True, "dev_mean_recall": max(dev.values())}


def test_without_dev_data_the_last_weights_are_kept(tmp_path):
    fresh = model(seed=3)
    history = train(*assemble(fresh, OBJECTIVE, DATA, {}, seed=1), StateFile(tmp_path / "state.pt", ""), what="test")
    again = model(seed=3)
    longest = OBJECTIVE.model_copy(update={"evaluate_every": 24})
    train(*assemble(again, longest, DATA, {}, seed=1), StateFile(tmp_path / "other.pt", ""), what="test")
    assert same(fresh.state_dict(), again.state_dict())
    assert all("loss" in row for row in history)


def test_a_cross_encoder_alone_learns_from_negatives_that_its_retriever_mined():
    mined_by = {"mined_by": "bi_encoder", "first_at": 2, "depth": 10, "probability": 1.0}
    objective = Objective.model_validate({"cross_encoder": {"batch_size": 8}, "steps": 4, "hard_negatives": mined_by})
    retriever = model(seed=5).eval()
    started, _ = assemble(model(seed=3), objective, DATA, {}, seed=1, miner=retriever)
    task, expected = started.tasks["cross_encoder"], mine(retriever, DATA, depth=10)
    found = []
    for step in range(4):
        started.mining.refresh(step)
        found.append(task.mined)
    assert found[:2] == [None, None]
    assert found[2] is found[3]
    assert np.array_equal(found[2].images_of_caption, expected.images_of_caption)
    assert np.array_equal(found[2].captions_of_image, expected.captions_of_image)


def test_what_a_training_reads_is_another_where_any_of_it_was_made_anew(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "captions.jsonl").write_text("a dog")
    first = identity_of([folder])
    (folder / ".snakemake_timestamp").touch()
    assert identity_of([folder]) == first
    made = (folder / "captions.jsonl").stat().st_mtime_ns
    os.utime(folder / "captions.jsonl", ns=(made, made + 1))
    assert identity_of([folder]) != first
