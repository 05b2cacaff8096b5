"""What a search promises: the retriever's order, the reranker's scores, batches that change nothing."""

import json
from pathlib import Path

import numpy as np
import pytest

from reranksmart.families import load_model
from reranksmart.inputs.stored import RegionInputs, TokenisedCaptions, open_tokeniser
from reranksmart.ranking.encoding import encode_captions, encode_images
from reranksmart.ranking.reranking import score_pairs
from reranksmart.searching import Searcher, build_index_folder
from reranksmart.searching.models import as_captions
from reranksmart.searching.results import Query, Results

TEXT = "a red rectangle"


def ids(results: Results, stage: str) -> list[str]:
    return [hit.id for hit in getattr(results, stage)]


def test_both_stages_are_those_of_the_models_by_hand(world: Path, searcher: Searcher) -> None:
    store = searcher.contents.seen_of(picture.id for picture in searcher.contents.pictures)
    caption = as_captions([TEXT])
    expected = {}
    for role in ("retriever", "reranker"):
        model = load_model(world / role)
        tokens = TokenisedCaptions.of(caption, open_tokeniser(world / role), max_tokens=70)
        if role == "retriever":
            vectors = encode_images(model, RegionInputs(store)).vectors
            expected[role] = vectors @ encode_captions(model, tokens, caption.ids).vectors[0]
        else:
            rows = np.arange(len(store))
            expected[role] = score_pairs(model, tokens, RegionInputs(store), np.zeros_like(rows), rows)
    nearest = np.argsort(-expected["retriever"], kind="stable")
    judged = nearest[:6][np.argsort(-expected["reranker"][nearest[:6]], kind="stable")]
    found = searcher.search(TEXT, k=6, top=16)
    assert ids(found, "retrieved") == [store.image_ids[row] for row in nearest]
    assert ids(found, "reranked") == [store.image_ids[row] for row in [*judged, *nearest[6:]]]
    for hit in found.retrieved:
        row = store.row_by_id[hit.id]
        assert hit.cosine == pytest.approx(expected["retriever"][row], abs=1e-5)
        if hit.retrieved_rank <= 6:
            assert hit.log_odds == pytest.approx(expected["reranker"][row], abs=1e-4)
        else:
            assert hit.log_odds is None
            assert hit.rank == hit.retrieved_rank


def test_the_best_answer_comes_first(searcher: Searcher) -> None:
    """The published code gives the candidates worst first."""
    found = searcher.search(TEXT, k=6, top=16)
    judged = [hit.log_odds for hit in found.reranked[:6]]
    assert judged == sorted(judged, reverse=True)
    assert judged[0] > judged[-1]
    cosines = [hit.cosine for hit in found.retrieved]
    assert cosines == sorted(cosines, reverse=True)
    assert [hit.rank for hit in found.reranked] == list(range(1, 17))


def test_a_batch_answers_each_query_as_alone(searcher: Searcher, world: Path) -> None:
    queries = [
        Query("a red rectangle and a rather long rest of a sentence", depth=3, top=5),
        Query(image=world / "pictures" / "gold.png", depth=4, top=4),
        Query("gold", depth=8, top=2),
        Query(image=world / "pictures" / "red.png", depth=2, top=6),
    ]
    together = searcher.search_many(queries)
    for query, found in zip(queries, together, strict=True):
        alone = searcher.search_many([query])[0]
        assert ids(found, "reranked") == ids(alone, "reranked")
        assert (found.depth, found.batch_size, alone.batch_size) == (query.depth, 2, 1)
        for one, other in zip(found.retrieved, alone.retrieved, strict=True):
            assert one.cosine == pytest.approx(other.cosine, abs=1e-5)
            assert (one.log_odds is None) == (other.log_odds is None)


def test_a_picture_finds_captions_and_what_they_describe(searcher: Searcher, world: Path) -> None:
    found = searcher.search(image=world / "pictures" / "ellipses" / "blue.jpg", k=5, top=16)
    assert {hit.text for hit in found.reranked} == set(searcher.contents.captions.texts)
    assert set(found.times_ms) == {"look at picture", "encode query", "search", "score pairs"}
    for hit in found.reranked:
        _, colour, shape = hit.text.split()
        assert hit.picture == world / "pictures" / (f"ellipses/{colour}.jpg" if shape == "ellipse" else f"{colour}.png")


def test_a_depth_beyond_the_gallery_re_ranks_all_of_it(searcher: Searcher) -> None:
    found = searcher.search(TEXT, k=500, top=500)
    assert (found.depth, len(found.reranked)) == (16, 16)
    log_odds = [hit.log_odds for hit in found.reranked]
    assert log_odds == sorted(log_odds, reverse=True)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "give exactly one"),
        ({"text": "a", "image": "b.png"}, "give exactly one"),
        ({"text": " "}, "is empty"),
        ({"text": "a", "k": 0}, "depth is 0"),
        ({"text": "a", "top": -1}, "top is -1"),
    ],
)
def test_a_senseless_query_is_named(searcher: Searcher, asked: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        searcher.search(**asked)


def test_a_query_picture_that_is_none_is_named(searcher: Searcher, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"text\.png cannot be read as an image"):
        searcher.search(image=tmp_path / "text.png")
    with pytest.raises(FileNotFoundError, match=r"gone\.png does not exist"):
        searcher.search(image=tmp_path / "gone.png")


def test_a_search_says_that_nothing_matches_only_where_its_index_learned_when(world: Path, tmp_path: Path) -> None:
    learned = tmp_path / "absence.json"
    low, high = ({"slope": 1.0, "intercept": 0.0, "found": [bound] * 99} for bound in (-1e6, 1e6))
    learned.write_text(json.dumps({"en": {"text-to-image": high, "image-to-text": low}}))
    models = {role: world / role for role in ("retriever", "reranker")}
    captions = world / "pictures" / "captions.jsonl"
    build_index_folder(world / "pictures", tmp_path / "index", **models, captions=captions, absence=learned)
    searcher = Searcher.load(tmp_path / "index")
    found = searcher.search(TEXT, k=6)
    assert found.nothing_matches
    best = max(hit.log_odds for hit in found.reranked if hit.log_odds is not None)
    assert found.probability == pytest.approx(1 / (1 + np.exp(-best)))
    assert not searcher.search(TEXT, k=6, false_alarms=0.001).nothing_matches  # 99 dev queries prove no such rate
    assert not searcher.search(image=world / "pictures" / "red.png", k=6).nothing_matches
    assert Searcher.load(world / "index").search(TEXT, k=6).nothing_matches is None
    with pytest.raises(ValueError, match=r"false_alarms is 1\.0"):
        searcher.search(TEXT, false_alarms=1.0)
    learned.write_text('{"en": {"text-to-image": {"slope": 1.0}}}')
    with pytest.raises(ValueError, match="results/absence"):
        build_index_folder(world / "pictures", tmp_path / "other", **models, absence=learned)
