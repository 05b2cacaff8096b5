"""Work shared out over jobs gives the numbers of one job, bit for bit."""

import numpy as np
import pytest
from toy import model, training_data

from reranksmart.files.storage import read_share, write_share
from reranksmart.ranking.encoding import share_of_captions, share_of_images
from reranksmart.ranking.reranking import score_matrix, share_of_matrix, share_of_pairs
from reranksmart.values.shards import WHOLE, Shard, Share, joined

DATA, MODEL = training_data(20), model().eval()
BUDGET = 60  # tokens: some ten batches
PAIRS = np.divmod(np.arange(200), 20)


def by_jobs(compute, jobs: int) -> np.ndarray:
    return joined([compute(shard=Shard(index, jobs)) for index in range(jobs)])


@pytest.mark.parametrize("jobs", [2, 3, 40])
@pytest.mark.parametrize(
    "compute",
    [
        lambda shard: share_of_captions(MODEL, DATA.tokens, shard=shard, token_budget=BUDGET),
        lambda shard: share_of_images(MODEL, DATA.regions, shard=shard, token_budget=BUDGET),
        lambda shard: share_of_pairs(MODEL, DATA.tokens, DATA.regions, *PAIRS, shard=shard, token_budget=BUDGET),
        lambda shard: share_of_matrix(
            MODEL, DATA.tokens, DATA.regions, shard=shard, token_budget=BUDGET, pairs_together=130
        ),
    ],
    ids=["captions", "images", "pairs", "matrix"],
)
def test_the_number_of_jobs_changes_no_bit(compute, jobs):
    whole = joined([compute(shard=WHOLE)])
    assert len(np.unique(whole)) > 10
    np.testing.assert_array_equal(by_jobs(compute, jobs), whole)


def test_a_matrix_by_jobs_has_each_pair_in_its_place():
    found = by_jobs(
        lambda shard: share_of_matrix(MODEL, DATA.tokens, DATA.regions, shard=shard, token_budget=BUDGET), 3
    )
    matrix = score_matrix(MODEL, DATA.tokens, DATA.regions)
    np.testing.assert_allclose(found.reshape(matrix.shape), matrix, atol=1e-5)


def test_each_job_gets_batches_of_every_length():
    assert [Shard(index, 3).of(list("abcdefgh")) for index in range(3)] == [list("adg"), list("beh"), list("cf")]


def test_a_share_on_disk_is_the_same_share(tmp_path):
    share = share_of_captions(MODEL, DATA.tokens, shard=Shard(1, 3), token_budget=BUDGET)
    write_share(tmp_path / "share.npz", share)
    found = read_share(tmp_path / "share.npz")
    np.testing.assert_array_equal(found.rows, share.rows)
    np.testing.assert_array_equal(found.values, share.values)
    assert found.total == share.total


def test_a_share_that_is_missing_or_there_twice_is_refused():
    one, two = (Share(np.array(rows), np.zeros(len(rows), np.float32), 4) for rows in ([0, 2], [1, 3]))
    for shares in ([one], [one, two, two]):
        with pytest.raises(ValueError, match="each row once"):
            joined(shares)


@pytest.mark.parametrize(("index", "count"), [(3, 3), (-1, 2), (0, 0)])
def test_a_shard_that_does_not_exist_is_refused(index, count):
    with pytest.raises(ValueError, match="does not exist"):
        Shard(index, count)
