"""Queries that arrive together are answered together."""

import asyncio
from collections.abc import Callable, Sequence

from reranksmart.searching.results import Query, Results

MOST_AT_ONCE = 32


class Batcher:
    """Answers queries in the order they come; those that wait while a batch is answered are the next batch."""

    def __init__(self, answer: Callable[[Sequence[Query]], list[Results]]) -> None:
        self._answer = answer
        self._waiting: asyncio.Queue[tuple[Query, asyncio.Future[Results]]] = asyncio.Queue()

    async def ask(self, query: Query) -> Results:
        """The answer to a query; raises what answering it raises."""
        future: asyncio.Future[Results] = asyncio.get_running_loop().create_future()
        await self._waiting.put((query, future))
        return await future

    async def run(self) -> None:
        """Answers for ever; cancel it to stop."""
        while True:
            batch = [await self._waiting.get()]
            while not self._waiting.empty() and len(batch) < MOST_AT_ONCE:
                batch.append(self._waiting.get_nowait())
            await self._settle(batch)

    async def _settle(self, batch: list[tuple[Query, asyncio.Future[Results]]]) -> None:
        batch = [(query, future) for query, future in batch if not future.cancelled()]
        if not batch:
            return
        try:
            answers = await asyncio.to_thread(self._answer, [query for query, _ in batch])
        except Exception as error:  # of whichever kind, it is the asker's, and must not stop the others
            if len(batch) == 1:
                if not batch[0][1].cancelled():
                    batch[0][1].set_exception(error)
                return
            for one in batch:  # alone, so that only the faulty query fails
                await self._settle([one])
            return
        for (_, future), found in zip(batch, answers, strict=True):
            if not future.cancelled():
                future.set_result(found)
