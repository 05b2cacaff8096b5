"""Queries that arrive together are answered together, and a faulty one fails alone."""

import asyncio

import pytest

from reranksmart.searching import Searcher
from reranksmart.searching.results import Query
from reranksmart.serving.batching import MOST_AT_ONCE, Batcher


async def ask_all(batcher: Batcher, queries: list[Query]) -> list:
    task = asyncio.create_task(batcher.run())
    try:
        return await asyncio.gather(*(batcher.ask(query) for query in queries), return_exceptions=True)
    finally:
        task.cancel()


def test_concurrent_queries_share_a_batch_and_get_their_own_answers(searcher: Searcher) -> None:
    queries = [Query(text, depth=3, top=3) for text in ("a red rectangle", "gold", "a blue ellipse")]
    sizes = []

    def answer(batch):
        sizes.append(len(batch))
        return searcher.search_many(batch)

    found = asyncio.run(ask_all(Batcher(answer), queries))
    assert sizes == [3]
    for query, results in zip(queries, found, strict=True):
        assert results.batch_size == 3
        assert [hit.id for hit in results.reranked] == [hit.id for hit in searcher.search(query.text, k=3).reranked[:3]]


def test_a_faulty_query_fails_alone(searcher: Searcher, tmp_path) -> None:
    queries = [Query("gold"), Query(image=tmp_path / "gone.png"), Query("a red rectangle")]
    found = asyncio.run(ask_all(Batcher(searcher.search_many), queries))
    assert isinstance(found[1], FileNotFoundError)
    assert found[0].reranked
    assert found[2].reranked


def test_a_batch_is_bounded(searcher: Searcher) -> None:
    sizes = []

    def answer(batch):
        sizes.append(len(batch))
        return searcher.search_many(batch)

    asyncio.run(ask_all(Batcher(answer), [Query("gold", depth=1, top=1)] * (MOST_AT_ONCE + 3)))
    assert sizes == [MOST_AT_ONCE, 3]


@pytest.mark.parametrize("clients", [6])
def test_queries_over_http_are_batched(client, clients: int) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(clients) as pool:
        replies = list(pool.map(lambda _: client.get("/api/search?text=gold&k=16"), range(clients)))
    assert all(reply.status_code == 200 for reply in replies)
    assert len({tuple(hit["id"] for hit in reply.json()["reranked"]) for reply in replies}) == 1
