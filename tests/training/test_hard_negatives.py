"""Mined negatives: never true, and those of the last refresh."""

import numpy as np
import pytest
import torch
from toy import model, training_data

from reranksmart.config.training import Objective
from reranksmart.training.assembly import assemble
from reranksmart.training.hard_negatives import MinedNegatives, draw_by_softmax, draw_mined_negatives, mine, softmax_of
from reranksmart.training.loop import train
from reranksmart.training.sampling import generator_of
from reranksmart.training.state import StateFile
from reranksmart.training.tasks import PairTask, SampledTripletTask

DATA = training_data()


def test_every_refresh_mines_all_wrong_items_and_no_true_one():
    """The published code forgets all but one caption of an image after the first refresh, and mines the others as wrong."""
    network = model()
    for _ in range(3):
        mined = mine(network, DATA, depth=len(DATA))
        for table, pairs in ((mined.images_of_caption, (0, 1)), (mined.captions_of_image, (1, 0))):
            queries, places = np.nonzero(table >= 0)
            found = queries, table[queries, places]
            captions, images = (found[side] for side in pairs)
            assert not DATA.is_relevant(captions, images).any()
            assert len(captions) == len(DATA) * len(DATA.regions) - DATA.relevant.nnz
        with torch.no_grad():  # as if trained on
            for weight in network.parameters():
                weight += 0.1 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))


def test_mining_deeper_than_a_small_training_set_draws_from_all_of_it():
    mined = mine(model(), DATA, depth=3 * len(DATA))
    rows = np.arange(len(DATA))
    captions, images = draw_mined_negatives(DATA, rows, mined, generator_of(0, "test"), probability=1.0)
    assert not DATA.is_relevant(captions, images).any()


class Listener:
    """A cross-encoder that notes the first feature of each image that it is shown."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def score_pairs(self, texts, regions):
        self.seen += regions.features[:, 0, 0].tolist()
        return torch.zeros(len(texts))


def feature(image: int) -> float:
    return float(DATA.regions.store[image].features[0, 0])


@pytest.mark.parametrize("step", [0, 3])
def test_the_batch_after_a_refresh_draws_from_the_new_table(step):
    """In the published code the loader's workers keep the table that they started with."""
    task = PairTask(DATA, batch_size=24, seed=1, mined_probability=1.0)
    shown = []
    for image in (5, 11):
        task.mined = MinedNegatives(
            np.full((len(DATA), 2), image, np.int32),
            np.full((len(DATA.regions), 2), 2 * image, np.int32),
            *(np.zeros((size, 2), np.float32) for size in (len(DATA), len(DATA.regions))),
        )
        listener = Listener()
        task.loss(listener, step)
        shown.append([listener.seen.count(feature(other)) for other in (5, 11)])
    assert shown[0][0] - shown[1][0] == shown[1][1] - shown[0][1] > 5


def test_a_draw_by_softmax_takes_each_item_as_often_as_the_softmax_says_and_none_twice():
    table, cosines = np.array([[4, 9, 2, -1]], np.int32), np.array([[1.0, 0.0, -1.0, 5.0]], np.float32)
    rng = np.random.default_rng(0)
    shares = softmax_of(table, cosines)[0]
    np.testing.assert_allclose(shares, [0.6652, 0.2447, 0.0900, 0], atol=1e-4)
    first = [draw_by_softmax(table, cosines, rng, count=1)[0, 0] for _ in range(4000)]
    np.testing.assert_allclose([first.count(item) / 4000 for item in (4, 9, 2)], shares[:3], atol=0.03)
    for _ in range(20):
        assert sorted(draw_by_softmax(table, cosines, rng, count=3)[0].tolist()) == [2, 4, 9]
    assert -1 in draw_by_softmax(table, cosines, rng, count=4)


def test_sampled_triplets_hold_no_true_pair_before_and_after_mining():
    network = model(dropout=0.0)
    task = SampledTripletTask(DATA, batch_size=12, negatives=5, seed=1, margin=0.1)
    rows = np.arange(12)
    for mined in (None, mine(network, DATA, depth=4)):  # fewer than wanted: the others are random
        task.mined = mined
        images, captions = task._draw(rows, DATA.image_rows[rows], np.random.default_rng(3))
        assert images.shape == captions.shape == (12, 5)
        assert not DATA.is_relevant(np.repeat(rows, 5), images.ravel()).any()
        assert not DATA.is_relevant(captions.ravel(), np.repeat(DATA.image_rows[rows], 5)).any()
        assert task.loss(network, 0) > 0


def test_an_objective_with_sampled_triplets_trains_by_three_tasks_in_turn(tmp_path):
    objective = Objective.model_validate(
        {
            "bi_encoder": {"batch_size": 8},
            "cross_encoder": {"batch_size": 8},
            "sampled_triplet": {"batch_size": 4, "negatives": 2},
            "hard_negatives": {"refresh_every": 2, "depth": 6, "draw": "softmax", "probability": 0.5},
            "schedule": ["bi_encoder", "cross_encoder", "sampled_triplet", "cross_encoder"],
            "steps": 10,
            "evaluate_every": 10,
            "checkpoint_every": 10,
        }
    )
    training, schedule = assemble(model(), objective, DATA, {}, seed=1)
    history = train(training, schedule, StateFile(tmp_path / "state.pt", settings=""), what="try")
    assert {row["task"] for row in history if "task" in row} == {"bi_encoder", "cross_encoder", "sampled_triplet"}
    assert training.mining is not None
    assert all(task.mined is training.tasks["cross_encoder"].mined for task in training.mining.tasks)
    with pytest.raises(ValueError, match="beside the bi_encoder task"):
        Objective.model_validate({"cross_encoder": {}, "sampled_triplet": {}})
