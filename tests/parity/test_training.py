"""The authors' objectives and training steps, replayed."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from reranksmart.models.published_names import published_parameters
from reranksmart.models.single_stream_config import SingleStreamConfig
from reranksmart.training.objectives import batch_hard_triplet, pair_cross_entropy, sampled_triplet
from reranksmart.training.optimisation import (
    ReferenceAdamW,
    linear_schedule,
    parameter_groups,
    reference_parameter_groups,
)

TIGHT = {"atol": 1e-6, "rtol": 1e-6}
CONFIG = SingleStreamConfig(
    embedder="oscar",
    vocab_size=200,
    cls_id=2,
    sep_id=3,
    pad_id=0,
    hidden_size=64,
    layers=2,
    heads=4,
    intermediate_size=128,
    max_positions=80,
    hidden_dropout=0.0,
    attention_dropout=0.0,
)


@pytest.fixture(scope="module")
def losses(recorded):
    with np.load(recorded.data / "losses.npz") as arrays:
        return {key: torch.from_numpy(arrays[key]) for key in arrays}


@pytest.mark.parametrize("margin", ["0.1", "0.2", "1.0"])
def test_batch_hard_triplet_is_the_recorded_one(losses, margin):
    captions, images = (losses[side].clone().requires_grad_() for side in ("captions", "images"))
    relevant = losses["labels"][:, None] == losses["labels"][None, :]
    loss = batch_hard_triplet(normalize(captions), normalize(images), relevant, margin=float(margin))
    loss.backward()
    torch.testing.assert_close(loss, losses[f"batch_hard/{margin}/loss"], **TIGHT)
    torch.testing.assert_close(captions.grad, losses[f"batch_hard/{margin}/grad_captions"], **TIGHT)
    torch.testing.assert_close(images.grad, losses[f"batch_hard/{margin}/grad_images"], **TIGHT)


@pytest.mark.parametrize("margin", ["0.1", "0.5"])
def test_sampled_triplet_is_the_recorded_one(losses, margin):
    """Recorded in the order caption, three wrong captions, image, three wrong images."""
    given = losses[f"sampled/{margin}/reps"].clone().requires_grad_()
    caption, image = normalize(given[0], dim=-1), normalize(given[4], dim=-1)
    wrong = (normalize(given[rows], dim=-1).transpose(0, 1) for rows in (slice(1, 4), slice(5, 8)))
    loss = sampled_triplet(caption, image, *wrong, margin=float(margin))
    loss.backward()
    torch.testing.assert_close(loss, losses[f"sampled/{margin}/loss"], **TIGHT)
    torch.testing.assert_close(given.grad, losses[f"sampled/{margin}/grads"], **TIGHT)


def test_pair_cross_entropy_is_the_recorded_two_class_loss(losses):
    logits = losses["cross_entropy/logits"].clone().requires_grad_()
    loss = pair_cross_entropy(logits[:, 1] - logits[:, 0], losses["cross_entropy/labels"])
    loss.backward()
    torch.testing.assert_close(loss, losses["cross_entropy/loss"], **TIGHT)
    torch.testing.assert_close(logits.grad, losses["cross_entropy/grad"], **TIGHT)


def batch_loss(recorded, model, batch):
    texts = recorded.texts(batch["tokens"])
    regions = recorded.regions(
        [(str(name), count) for name, count in zip(batch["images"], batch["regions"], strict=True)]
    )
    labels = torch.tensor(batch["labels"])
    if batch["task"] == 1:
        return pair_cross_entropy(model.score_pairs(texts, regions), labels)
    relevant = labels[:, None] == labels[None, :]
    return batch_hard_triplet(model.encode_text(texts), model.encode_image(regions), relevant, margin=0.1)


def replay(recorded, run, model, optimiser):
    """Losses, gradient norms and learning rates of a recorded run under an optimiser."""
    schedule = linear_schedule(optimiser, steps=6)
    losses, norms, rates = [], [], []
    per_step = run["turns"] * run["accumulation"]
    model.train()
    model.head.eval()  # the recording had all dropout off
    for place, batch in enumerate(run["batches"]):
        if place % per_step == 0:
            rates.append(schedule.get_last_lr()[0])
        loss = batch_loss(recorded, model, batch)  # the authors' code adds accumulated losses, undivided
        loss.backward()
        losses.append(loss.item())
        if (place + 1) % run["accumulation"] == 0:
            norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
            optimiser.step()
            optimiser.zero_grad()
        if (place + 1) % per_step == 0:
            schedule.step()
    return losses, norms, rates


@pytest.fixture(scope="module")
def runs(recorded):
    return json.loads((recorded.data / "training.json").read_text())


@pytest.mark.parametrize("name", ["joint_sequence_0_0_1", "triplet_only", "joint_default_sequence_accum2"])
def test_the_reference_optimiser_replays_the_recorded_training(recorded, runs, tmp_path, name):
    run = runs[name]
    model = recorded.load(CONFIG, tmp_path, std=0.1)
    groups = reference_parameter_groups(published_parameters(model), weight_decay=0.05)
    losses, norms, rates = replay(recorded, run, model, ReferenceAdamW(groups, lr=1e-3))
    assert rates == pytest.approx(run["learning_rates"], rel=1e-12)
    assert losses == pytest.approx([batch["loss"] for batch in run["batches"]], abs=2e-5)
    assert norms == pytest.approx(run["gradient_norms"], rel=1e-3)
    for parameter, found in recorded.sketches(model, "data").items():
        expected = np.array(run["final_weights"][parameter])
        assert np.abs(found - expected).max() <= 1e-4 * expected[0] + 1e-6, parameter


def test_the_default_optimiser_trains_close_to_but_not_as_recorded(recorded, runs, tmp_path):
    run = runs["joint_sequence_0_0_1"]
    model = recorded.load(CONFIG, tmp_path, std=0.1)
    optimiser = torch.optim.AdamW(parameter_groups(model, weight_decay=0.05), lr=1e-3)
    losses, _, _ = replay(recorded, run, model, optimiser)
    gaps = np.abs(np.array(losses) - [batch["loss"] for batch in run["batches"]])
    assert gaps[0] < 1e-5
    assert 2e-4 < gaps.max() < 2e-2
