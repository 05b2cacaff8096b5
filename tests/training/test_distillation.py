import numpy as np
import pytest
import torch
from torch.nn.functional import normalize
from toy import model, training_data

from reranksmart.config.training import Objective
from reranksmart.training.assembly import assemble
from reranksmart.training.distillation import DistilledTask, nearest_with_own
from reranksmart.training.loop import train
from reranksmart.training.objectives import partial_ranking
from reranksmart.training.processes import ALONE
from reranksmart.training.state import StateFile
from reranksmart.training.tasks import EmbeddedBatch, InfoNceTask
from reranksmart.values.settings import ConfigError

DATA, DEV = training_data(24), training_data(12, seed=7)
SETTINGS = {"queries": 6, "candidates": 4, "weight": 1.0, "temperature": 0.1, "teacher_temperature": 1.0}


def task(**changes):
    return DistilledTask(InfoNceTask(DATA, 8, 1, 0.1), **{**SETTINGS, **changes})


def gradients(loss, network):
    network.zero_grad()
    loss.backward()
    return {name: value.grad.clone() for name, value in network.named_parameters() if value.grad is not None}


def test_before_its_first_batch_nothing_is_taught():
    network = model(seed=3, dropout=0.0)
    with torch.no_grad():
        taught, plain = task(first_batch=5), task().task
        assert torch.equal(taught.loss(network, 4), plain.loss(network, 4))
        assert taught.loss(network, 5) > plain.loss(network, 5)


def test_the_teacher_learns_nothing_from_teaching():
    network = model(seed=3)
    found = gradients(task().loss(network, 0), network)
    assert not [name for name in found if name.startswith(("head", "pooler"))]
    assert found["encoder.layer.0.attention.self.query.weight"].abs().sum() > 0


class Undecided(torch.nn.Module):
    """A teacher to whom all pairs are equal."""

    def score_pairs(self, texts, regions):
        return torch.zeros(len(texts))


class FixedEmbeddings:
    name, data, processes = "bi_encoder", DATA, ALONE

    def embed(self, model, step):
        captions, images = normalize(torch.randn(2, 8, 32, generator=torch.Generator().manual_seed(1)), dim=-1)
        return EmbeddedBatch(np.arange(8), DATA.image_rows[:8], captions, images, torch.eye(8, dtype=torch.bool))

    def contrast(self, batch):
        return torch.zeros(())


def test_the_cosines_that_are_taught_keep_their_digits_under_autocast():
    taught = DistilledTask(FixedEmbeddings(), **{**SETTINGS, "temperature": 0.01})
    exact = taught.loss(Undecided(), 0)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(taught.loss(Undecided(), 0), exact)


def test_teaching_leaves_the_model_in_training():
    network = model(seed=3).train()
    task().loss(network, 0)
    assert network.training


def test_the_own_item_is_always_a_candidate():
    cosines = torch.tensor([[0.1, 0.9, 0.8, 0.2], [0.3, 0.2, 0.9, 0.4]])
    assert nearest_with_own(cosines, 3).tolist() == [[0, 1, 2], [1, 2, 3]]


def test_the_student_comes_to_rank_as_its_teacher():
    torch.manual_seed(0)
    network = model(seed=3, dropout=0.0)
    with torch.no_grad():  # a teacher with opinions
        network.head[-1].weight.mul_(60)
    student_only = [value for name, value in network.named_parameters() if name.startswith("embedder")]
    optimiser = torch.optim.Adam(student_only, lr=1e-3)
    taught = task(weight=20.0)
    losses = []
    for _ in range(25):
        loss = taught.loss(network, 0) - taught.task.loss(network, 0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:3])


OBJECTIVE = {
    "bi_encoder": {"loss": "infonce", "batch_size": 8},
    "cross_encoder": {"batch_size": 8},
    "distillation": {"queries": 4, "candidates": 4, "first_at": 3},
    "cached_layers": 1,
    "steps": 12,
    "learning_rate": 1e-3,
    "evaluate_every": 6,
    "checkpoint_every": 5,
}


def test_a_distilled_training_with_cached_layers_runs_and_repeats_bit_for_bit(tmp_path):
    objective = Objective.model_validate(OBJECTIVE)
    found = []
    for name in ("a", "b"):
        torch.set_num_threads(1)
        network = model(seed=3).with_cached_layers(1)
        training, schedule = assemble(network, objective, DATA, {"bi_encoder": DEV, "cross_encoder": DEV}, seed=1)
        assert isinstance(training.tasks["bi_encoder"], DistilledTask)
        assert training.tasks["bi_encoder"].first_batch == 3
        train(training, schedule, StateFile(tmp_path / name / "state.pt", "settings"), what="test")
        found.append(network.state_dict())
    assert all(torch.equal(found[0][key], found[1][key]) for key in found[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cross_encoder": None}, "distillation needs both tasks"),
        ({"distillation": {"queries": 9}}, "queries is 9"),
        ({"distillation": {"candidates": 9, "queries": 4}}, "candidates is 9"),
    ],
)
def test_a_distillation_that_cannot_be_is_refused(changes, message):
    with pytest.raises((ValueError, ConfigError), match=message):
        Objective.model_validate({**OBJECTIVE, "cached_layers": 0, **changes})


def test_only_the_order_among_hard_negatives_is_taught():
    """By hand: each is contrasted with those that the teacher puts below it, and with the easy ones."""
    similarities, log_odds = torch.tensor([[0.2, 0.6, 0.4]]), torch.tensor([[3.0, 1.0, 2.0]])
    easy = torch.tensor([[0.1, -0.3, float("-inf")]])
    low = (0.1, -0.3)
    parts = [(0.2, (0.2, 0.4, 0.6, *low)), (0.4, (0.4, 0.6, *low)), (0.6, (0.6, *low))]
    expected = np.mean([np.log(sum(np.exp(np.array(below) / 0.5))) - own / 0.5 for own, below in parts])
    found = partial_ranking(similarities, log_odds, easy, temperature=0.5)
    assert found.item() == pytest.approx(expected, abs=1e-5)
    assert partial_ranking(similarities, 100 * log_odds - 7, easy, temperature=0.5) == found
    agreeing = partial_ranking(similarities, similarities, easy, temperature=0.5)
    assert agreeing < found
    lacking = torch.tensor([[0.2, 0.6, 0.4, float("-inf")]], requires_grad=True)  # a batch with fewer negatives
    fewer = partial_ranking(lacking, torch.tensor([[3.0, 1.0, 2.0, 9.0]]), easy, temperature=0.5)
    assert fewer.item() == pytest.approx(expected, abs=1e-5)
    fewer.backward()
    assert torch.isfinite(lacking.grad).all()


def test_ranking_distillation_learns_and_teaches_no_true_pair():
    network = model(seed=3, dropout=0.0)
    taught = task(ranking=True)
    found = gradients(taught.loss(network, 0), network)
    assert all(torch.isfinite(value).all() for value in found.values())
    assert not [name for name in found if name.startswith(("head", "pooler"))]
    assert taught.loss(network, 0) > taught.task.loss(network, 0)
