import numpy as np
import pytest
import torch
from toy import model, training_data

from reranksmart.ranking.encoding import (
    EmbeddedCaptions,
    EmbeddedImages,
    captions_for_pairs,
    encode_captions,
    encode_images,
    length_batches,
)
from reranksmart.ranking.reranking import score_matrix, score_pairs, share_of_candidates
from reranksmart.ranking.search import build_index, retrieve
from reranksmart.values.records import Direction
from reranksmart.values.shards import joined

DATA, MODEL = training_data(20), model().eval()


def one_by_one(caption_row: int, image_row: int) -> float:
    with torch.inference_mode():
        return float(MODEL.score_pairs(DATA.tokens.batch([caption_row]), DATA.regions.batch([image_row])))


@pytest.mark.parametrize("direction", list(Direction))
def test_candidates_are_scored_as_each_pair_alone(direction):
    captions = encode_captions(MODEL, DATA.tokens, DATA.captions.ids)
    images = encode_images(MODEL, DATA.regions)
    queries, gallery = direction.pair(captions, images)
    candidates = retrieve(queries, gallery.ids, build_index(gallery.vectors), depth=8)
    caption_row = {id_: row for row, id_ in enumerate(DATA.captions.ids)}
    image_row = DATA.regions.store.row_by_id
    share = share_of_candidates(
        MODEL,
        DATA.tokens,
        EmbeddedImages.of(MODEL, DATA.regions),
        candidates,
        direction,
        caption_row_by_id=caption_row,
        image_row_by_id=image_row,
        depth=5,
    )
    scores = joined([share]).reshape(len(queries), -1)
    assert scores.shape == (len(queries), 5)
    for row in (0, 3, len(queries) - 1):
        for place, item in enumerate(candidates.item_ids(row)[:5]):
            caption, image = direction.pair(candidates.query_ids[row], item)
            assert scores[row, place] == pytest.approx(one_by_one(caption_row[caption], image_row[image]), abs=1e-5)


@pytest.mark.parametrize("token_budget", [1, 50, 100_000])
def test_scores_do_not_depend_on_the_batching(token_budget):
    caption_rows, image_rows = np.divmod(np.arange(200), 20)
    reference = score_pairs(MODEL, DATA.tokens, DATA.regions, caption_rows, image_rows)
    found = score_pairs(MODEL, DATA.tokens, DATA.regions, caption_rows, image_rows, token_budget=token_budget)
    np.testing.assert_allclose(found, reference, atol=1e-5)


def test_length_batches_hold_every_row_once_within_the_budget():
    lengths = np.random.default_rng(0).integers(1, 40, size=300)
    batches = list(length_batches(lengths, token_budget=200))
    assert sorted(np.concatenate(batches).tolist()) == list(range(300))
    assert all(len(rows) * lengths[rows].max() <= 200 for rows in batches)


def test_embeddings_stand_in_the_order_of_their_ids():
    captions = encode_captions(MODEL, DATA.tokens, DATA.captions.ids, token_budget=64)
    with torch.inference_mode():
        alone = MODEL.encode_text(DATA.tokens.batch([17])).numpy()[0]
    np.testing.assert_allclose(captions.vectors[17], alone, atol=1e-6)


def test_stored_states_of_captions_and_images_score_as_their_inputs():
    cached = MODEL.with_cached_layers(1)
    caption_rows, image_rows = np.divmod(np.arange(200), 20)
    captions = captions_for_pairs(cached, DATA.tokens)
    assert isinstance(captions, EmbeddedCaptions)
    stored = score_pairs(cached, captions, EmbeddedImages.of(cached, DATA.regions), caption_rows, image_rows)
    np.testing.assert_allclose(
        stored, score_pairs(cached, DATA.tokens, DATA.regions, caption_rows, image_rows), atol=1e-5
    )
    whole = score_pairs(MODEL, captions_for_pairs(MODEL, DATA.tokens), DATA.regions, caption_rows, image_rows)
    assert np.abs(stored - whole).max() > 3e-5


def test_a_matrix_scored_in_blocks_holds_each_pair():
    caption_rows, image_rows = np.divmod(np.arange(len(DATA) * 20), 20)
    pairs = score_pairs(MODEL, DATA.tokens, DATA.regions, caption_rows, image_rows)
    matrix = score_matrix(MODEL, DATA.tokens, DATA.regions, pairs_together=70)
    np.testing.assert_allclose(matrix, pairs.reshape(len(DATA), 20), atol=1e-5)
