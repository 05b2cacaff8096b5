"""Mined negatives that the cross-encoder judges."""

import numpy as np
import pytest
import torch
from scipy.special import expit
from toy import model, training_data

from reranksmart.config.training import Objective
from reranksmart.training.assembly import assemble
from reranksmart.training.hard_negatives import MinedNegatives, mine
from reranksmart.training.judging import count_hidden, hidden_labels, judge, without_false

DATA = training_data()


def test_each_negative_is_judged_against_the_query_s_own_pair():
    network = model(dropout=0.0).eval()
    mined = mine(network, DATA, depth=5)
    of_captions, of_images = judge(network, DATA, mined)

    def probability(caption: int, image: int) -> float:
        rows = np.array([caption]), np.array([image])
        with torch.no_grad():
            return float(expit(network.score_pairs(DATA.tokens.batch(rows[0]), DATA.regions.batch(rows[1])).item()))

    for row in (0, 7):
        own = probability(row, int(DATA.image_rows[row]))
        for item, ratio in zip(mined.images_of_caption[row], of_captions[row], strict=True):
            assert np.isinf(ratio) if item < 0 else ratio == pytest.approx(probability(row, item) / own, abs=1e-4)
    own = np.mean([probability(row, 3) for row in np.flatnonzero(DATA.image_rows == 3)])
    for item, ratio in zip(mined.captions_of_image[3], of_images[3], strict=True):
        assert np.isinf(ratio) if item < 0 else ratio == pytest.approx(probability(item, 3) / own, abs=1e-4)


def test_what_is_left_out_is_what_reaches_the_bound_and_order_stays():
    cosines = np.array([[0.9, 0.8, 0.7]], np.float32)
    mined = MinedNegatives(*(np.array([[5, 6, 7]], np.int32),) * 2, *(cosines,) * 2)
    left = without_false(mined, (np.array([[0.99, 0.2, 0.5]]), np.array([[0.1, 0.2, np.inf]])), below=0.9)
    assert left.images_of_caption.tolist() == [[6, 7, -1]]
    assert left.image_cosines[0, :2].tolist() == cosines[0, 1:].tolist()
    assert left.captions_of_image.tolist() == [[5, 6, -1]]
    nothing = without_false(mined, (np.full((1, 3), 1e-9),) * 2, below=np.inf)
    assert (nothing.images_of_caption == mined.images_of_caption).all()


def test_hidden_labels_are_true_pairs_that_mining_takes_for_wrong_ones():
    known, hidden = hidden_labels(DATA, 0.5, np.random.default_rng(1))
    assert 0 < hidden.sum() < len(DATA) / 2 + 1
    assert known.relevant.nnz == DATA.relevant.nnz - DATA.relevant[np.flatnonzero(hidden)].nnz
    assert np.bincount(DATA.image_rows[~hidden], minlength=len(DATA.regions)).min() >= 1
    mined = mine(model(), known, depth=len(DATA))
    found = count_hidden(DATA, mined, without_false(mined, _perfect(mined), below=0.9))
    assert found["hidden"] == DATA.relevant[np.flatnonzero(hidden)].nnz
    assert found["hidden left out"] == found["hidden"]
    assert found["true negatives left out"] == 0 < found["true negatives"]
    kept = count_hidden(DATA, mined, mined)
    assert (kept["hidden left out"], kept["true negatives"]) == (0, found["true negatives"])


def _perfect(mined: MinedNegatives) -> tuple[np.ndarray, np.ndarray]:
    """The ratios of a cross-encoder that knows what is true."""
    truth = DATA.relevant.toarray()
    images, captions = mined.images_of_caption, mined.captions_of_image
    of_captions = np.where(images < 0, np.inf, truth[np.arange(len(images))[:, None], images])
    of_images = np.where(captions < 0, np.inf, truth[captions, np.arange(len(captions))[:, None]])
    return of_captions, of_images


def test_an_objective_that_judges_trains_on_what_is_left():
    settings = {"bi_encoder": {"batch_size": 8}, "cross_encoder": {"batch_size": 8}, "steps": 1}
    judged = {"refresh_every": 1, "depth": 4, "judged_below": 1e-9}
    training, _ = assemble(model(), Objective.model_validate({**settings, "hard_negatives": judged}), DATA, {}, seed=1)
    assert training.mining is not None
    training.mining.refresh(0)
    assert (training.mining.tasks[0].mined.images_of_caption == -1).all()
    assert torch.isfinite(training.tasks["cross_encoder"].loss(model(), 0))
    with pytest.raises(ValueError, match="judged_below"):
        Objective.model_validate(
            {"bi_encoder": {}, "sampled_triplet": {}, "hard_negatives": {"refresh_every": 1, "judged_below": 0.9}}
        )
