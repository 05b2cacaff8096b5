"""What stands before every answer: who may ask, what a browser may do with it, and how long a client may take."""

import asyncio
import resource
from collections.abc import Awaitable
from typing import TypeVar
from urllib.parse import urlsplit

import uvicorn
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE_S, MOST_CONNECTIONS, LEAST_CONNECTIONS = 10.0, 200, 16
_ACCEPTED_AT_ONCE = 32
_OTHER_FILES = 150  # that may be open at once: those being read and sent, and connections that are about to be closed
_T = TypeVar("_T")
_HEADERS = {
    b"content-security-policy": b"default-src 'none'; img-src 'self' blob:; style-src 'self'; script-src 'self'; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-cache",  # another index may be served here next, whose pictures have the same numbers
}


class SafeHeaders:
    """Every answer forbids the browser to run or load anything but this page's own files."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS.items()]
            await send(message)

        await self.app(scope, receive, send_with_headers)


class OwnPageOnly:
    """Refuses what a page of another site asks for, as the browser says of it; a link to the page itself may be followed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_own(Headers(scope=scope), path=scope["path"]):
            refusal = JSONResponse({"error": "Another site asked for this; only the page itself may."}, 403)
            await refusal(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _is_own(headers: Headers, *, path: str) -> bool:
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        return False
    return path == "/" or headers.get("sec-fetch-site", "none") in ("same-origin", "none")


async def while_wanted(request: Request, answering: Awaitable[_T]) -> _T:
    """What ``answering`` gives; once the client hangs up it is cancelled, and ClientDisconnect raised.

    The question must have been read to its end.
    """
    work, gone = asyncio.ensure_future(answering), asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientDisconnect
        return work.result()
    finally:
        work.cancel()
        gone.cancel()


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def guarded(application: ASGIApp) -> uvicorn.Server:
    """A server of the application with these bounds."""
    config = uvicorn.Config(
        application, log_level="warning", http=BoundedWait, backlog=_ACCEPTED_AT_ONCE, timeout_keep_alive=5
    )
    return uvicorn.Server(config)


class BoundedWait(H11Protocol):
    """A connection that is one too many, or whose client keeps the server waiting, is closed.

    It would keep a file descriptor, and without any left nobody could be answered.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > _most_connections():
            transport.abort()
        self.loop.call_later(PATIENCE_S, self._look, None)

    def _look(self, before: object) -> None:
        """Closes the connection where it has waited since the look before for a whole question, or to be rid of an answer."""
        answering = self.cycle
        waits = answering is None or answering.response_complete or self.flow.write_paused
        if waits and answering is before:
            self.transport.abort()
        elif self in self.connections:
            self.loop.call_later(PATIENCE_S, self._look, answering)


def _most_connections() -> int:
    """As many as the file descriptors of this process allow for."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(LEAST_CONNECTIONS, min(MOST_CONNECTIONS, descriptors - _OTHER_FILES))
