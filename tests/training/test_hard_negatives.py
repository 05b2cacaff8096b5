"""Mined negatives: never true, and those of the last refresh."""

import numpy as np
import pytest
import torch
from toy import model, training_data

from reranksmart.training.hard_negatives import MinedNegatives, mine
from reranksmart.training.tasks import PairTask

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
            np.full((len(DATA), 2), image, np.int32), np.full((len(DATA.regions), 2), 2 * image, np.int32)
        )
        listener = Listener()
        task.loss(listener, step)
        shown.append([listener.seen.count(feature(other)) for other in (5, 11)])
    assert shown[0][0] - shown[1][0] == shown[1][1] - shown[0][1] > 5
