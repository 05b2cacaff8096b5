import faiss
import numpy as np
import pytest

from reranksmart.ranking.search import build_index, read_index, retrieve, search
from reranksmart.values.factories import require_factory
from reranksmart.values.records import Embeddings, Ranking


def vectors(count: int, *, seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).standard_normal((count, 16)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


GALLERY, QUERIES = vectors(500), vectors(20, seed=1)


def test_exact_search_is_the_matrix_product():
    rows, scores = search(build_index(GALLERY), QUERIES, depth=10)
    product = QUERIES @ GALLERY.T
    expected = np.argsort(-product, axis=1)[:, :10]
    assert (rows == expected).all()
    np.testing.assert_allclose(scores, np.take_along_axis(product, expected, axis=1), atol=1e-6)


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_a_query_alone_finds_what_it_finds_among_others_with_any_number_of_threads(threads):
    gallery, before = vectors(20_000, seed=2), faiss.omp_get_max_threads()
    index = build_index(gallery)
    rows, scores = search(index, QUERIES, depth=10)
    try:
        faiss.omp_set_num_threads(threads)
        alone = [search(index, query[None], depth=10) for query in QUERIES]
        assert faiss.omp_get_max_threads() == threads
    finally:
        faiss.omp_set_num_threads(before)
    assert (np.concatenate([found for found, _ in alone]) == rows).all()
    np.testing.assert_allclose(np.concatenate([own for _, own in alone]), scores, atol=1e-6)


@pytest.mark.parametrize("factory", ["HNSW32", "IVF16,Flat", "IVF16,PQ8", "PCA12,IVF16,Flat", "IVF16,RaBitQ"])
def test_an_approximate_index_finds_much_of_the_exact_top_and_as_much_when_read_again(factory, tmp_path):
    index = build_index(GALLERY, factory=factory)
    faiss.write_index(index, str(tmp_path / "index.faiss"))
    exact, _ = search(build_index(GALLERY), QUERIES, depth=10)
    found, scores = search(index, QUERIES, depth=10)
    again = search(read_index(tmp_path / "index.faiss"), QUERIES, depth=10)
    assert np.mean([len(set(a) & set(b)) for a, b in zip(exact, found, strict=True)]) >= 2.5
    np.testing.assert_array_equal(again, (found, scores))


@pytest.mark.parametrize("refined", ["RFlat", "Refine(SQ8)"])
def test_refinement_brings_back_what_codes_of_a_bit_lose(refined, tmp_path):
    exact, found = (
        search(build_index(GALLERY, factory=factory), QUERIES, depth=10)[0] for factory in ("IVF4,Flat", "IVF4,RaBitQ")
    )
    faiss.write_index(build_index(GALLERY, factory=f"IVF4,RaBitQ,{refined}"), str(tmp_path / "index.faiss"))
    better, _ = search(read_index(tmp_path / "index.faiss"), QUERIES, depth=10)
    bits, again = (
        np.mean([len(set(a) & set(b)) for a, b in zip(exact, rows, strict=True)]) for rows in (found, better)
    )
    assert bits < 8 < 9 < again


def test_an_eighth_of_inverted_lists_is_searched():
    assert build_index(GALLERY, factory="IVF16,Flat").nprobe == 2
    assert build_index(GALLERY, factory="IVF4,Flat").nprobe == 1


def test_a_missing_index_is_no_damaged_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="rule index makes it again"):
        read_index(tmp_path / "index.faiss")


def test_a_depth_beyond_the_gallery_is_cut_to_it():
    gallery = Embeddings(("a", "b"), GALLERY[:2])
    assert retrieve(Embeddings(("q",), QUERIES[:1]), gallery.ids, build_index(gallery.vectors), depth=10).depth == 2


@pytest.mark.parametrize("factory", ["Flat", "HNSW32"])
def test_doubled_vectors_are_retrieved_as_an_exhaustive_ranking_orders_them_in_any_order_of_the_gallery(factory):
    ids = tuple(f"{number}{half}" for half in "ab" for number in range(50))
    doubled = np.concatenate([GALLERY[:50], GALLERY[:50]])
    cosines = np.tile(np.float32(QUERIES.astype(np.float64) @ GALLERY[:50].T.astype(np.float64)), 2)
    names = tuple(f"q{number}" for number in range(len(QUERIES)))
    items = np.tile(np.arange(100, dtype=np.int32), (len(QUERIES), 1))
    expected = Ranking(names, ids, items, cosines)
    for order in (np.arange(100), np.arange(100)[::-1], np.random.default_rng(0).permutation(100)):
        index = build_index(doubled[order], factory=factory)
        if factory == "HNSW32":
            faiss.downcast_index(index).hnsw.efSearch = 100
        gallery = tuple(ids[row] for row in order)
        for depth in (1, 4, 7, 100):  # an odd one cuts a pair
            found = retrieve(Embeddings(names, QUERIES), gallery, index, depth=depth)
            assert [found.item_ids(row) for row in range(20)] == [expected.item_ids(row)[:depth] for row in range(20)]


def test_a_gallery_of_one_vector_is_retrieved_by_chance_and_no_deeper_than_asked():
    ids = tuple(f"g{number}" for number in range(1000))
    same = np.tile(GALLERY[:1], (1000, 1))
    queries = Embeddings(tuple(f"q{number}" for number in range(len(QUERIES))), QUERIES)
    found = retrieve(queries, ids, build_index(same), depth=3)
    assert found.depth == 3
    assert len(set(found.items.ravel().tolist())) > 40


@pytest.mark.parametrize("depth", [0, 501])
def test_a_depth_outside_the_index_is_refused(depth):
    with pytest.raises(ValueError, match=rf"depth {depth} is outside 1\.\.500"):
        search(build_index(GALLERY), QUERIES, depth=depth)


def test_queries_of_another_model_are_refused():
    with pytest.raises(ValueError, match=r"have 3 values, those of the index \d+: they are of two models"):
        retrieve(Embeddings(("q",), np.eye(1, 3, dtype=np.float32)), ("a",), build_index(GALLERY[:1]), depth=1)


def test_an_unknown_factory_is_named():
    with pytest.raises(ValueError, match="'Flatt' is not an index that faiss can make"):
        build_index(GALLERY, factory="Flatt")


def test_fewer_vectors_than_an_index_learns_from_are_named():
    with pytest.raises(ValueError, match=r"'IVF64,Flat' is not an index that faiss can make of 4 vectors"):
        build_index(GALLERY[:4], factory="IVF64,Flat")


@pytest.mark.parametrize("factory", ["IDMap,Flat", "Flatt", "NSG32", "LSH", "PQ7", ""])
def test_a_factory_string_that_makes_no_searchable_index_is_refused_before_there_are_vectors(factory):
    with pytest.raises(ValueError, match=rf"{factory!r} is not an index that faiss can make, fill and search"):
        require_factory(factory)


@pytest.mark.parametrize(
    "factory", ["Flat", "HNSW32", "IVF65536,Flat", "IVF64,SQ8", "IVF64,RaBitQ,Refine(SQ8)", "PCA12,IVF64,Flat"]
)
def test_a_factory_string_of_a_searchable_index_is_kept(factory):
    assert require_factory(factory) == factory
