import dataclasses
import tracemalloc

import numpy as np
import pytest
from scipy.sparse import csr_array
from toy import training_data

from reranksmart.training.hard_negatives import MinedNegatives, draw_mined_negatives
from reranksmart.training.sampling import TrainingData, draw_random_negatives, epoch_rows, fitting_batch, generator_of

DATA = training_data()


def test_every_caption_comes_once_an_epoch():
    rows = np.concatenate([epoch_rows(48, 12, seed=1, purpose="x", step=step) for step in range(4)])
    assert sorted(rows.tolist()) == list(range(48))


def test_epochs_differ_in_order():
    first, second = (epoch_rows(48, 48, seed=1, purpose="x", step=step) for step in range(2))
    assert (first != second).any()


def test_a_batch_depends_on_nothing_but_seed_purpose_and_step():
    """In the published code every loader's worker draws the same numbers, and reading a small set seeds them anew."""
    fresh = epoch_rows(48, 12, seed=1, purpose="x", step=7)
    epoch_rows(48, 12, seed=2, purpose="y", step=3)
    assert (epoch_rows(48, 12, seed=1, purpose="x", step=7) == fresh).all()


def test_a_batch_larger_than_the_set_holds_all_of_it_and_says_so(capsys: pytest.CaptureFixture[str]):
    size = fitting_batch(64, 48)
    assert sorted(epoch_rows(48, size, seed=1, purpose="x", step=5).tolist()) == list(range(48))
    assert "batch_size 64 exceeds the 48 captions" in capsys.readouterr().err
    assert fitting_batch(12, 48) == 12
    assert capsys.readouterr().err == ""


def test_a_caption_of_every_image_is_an_error_as_it_has_no_negative():
    DATA.require_negatives()
    relevant = DATA.relevant.tolil()
    relevant[3] = True
    data = dataclasses.replace(DATA, relevant=csr_array(relevant))
    with pytest.raises(ValueError, match=f"caption {DATA.captions.ids[3]!r} .* all {len(DATA.regions)} images"):
        data.require_negatives()


def test_no_negative_is_true_and_the_coin_is_fair():
    rows = np.tile(np.arange(len(DATA)), 50)
    captions, images = draw_random_negatives(DATA, rows, generator_of(0, "test"))
    assert not DATA.is_relevant(captions, images).any()
    kept = captions == rows
    assert (images[~kept] == DATA.image_rows[rows[~kept]]).all()
    assert abs(kept.mean() - 0.5) < 0.03  # 2,400 draws: three deviations


def test_negatives_cover_every_other_image():
    """The published code never draws the first caption of the next image."""
    rows = np.zeros(4000, dtype=np.int64)
    captions, images = draw_random_negatives(DATA, rows, generator_of(0, "cover"))
    assert set(images[captions == 0].tolist()) == set(range(1, len(DATA.regions)))
    assert set(captions[captions != 0].tolist()) == set(range(2, len(DATA)))


def test_a_draw_costs_the_same_whatever_the_size_of_the_training_set():
    """The published code lists all captions of the training set for every negative it draws."""
    peaks = []
    for images in (100, 100_000):
        image_rows = np.repeat(np.arange(images), 5)
        relevant = csr_array(
            (np.ones(5 * images, dtype=bool), (np.arange(5 * images), image_rows)), shape=(5 * images, images)
        )
        data = TrainingData(range(5 * images), None, None, image_rows, relevant)  # as many captions, without texts
        rows = np.arange(128)
        draw_random_negatives(data, rows, generator_of(0, "warm"))
        tracemalloc.start()
        draw_random_negatives(data, rows, generator_of(0, "cost"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0] < 1_000_000  # a list of half a million numbers takes four million bytes


@pytest.mark.parametrize("probability", [0.1, 1.0])
def test_mined_negatives_replace_the_named_share(probability):
    """The published code ignores the share on COCO and Multi30k: there every negative is a mined one."""
    tables = [np.full((count, 3), row, np.int32) for count, row in ((len(DATA), 5), (len(DATA.regions), 7))]
    mined = MinedNegatives(*tables, *(np.ones(table.shape, np.float32) for table in tables))
    rows = np.full(4000, 0, dtype=np.int64)
    captions, images = draw_mined_negatives(DATA, rows, mined, generator_of(0, "mined"), probability=probability)
    hard = ((captions == 0) & (images == 5)) | (captions == 7)
    by_chance = (1 - probability) * 0.03
    assert abs(hard.mean() - probability - by_chance) < 0.03
