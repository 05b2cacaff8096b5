"""What stands before every answer: who may ask, what a browser may do with it, and how long a client may take."""

import asyncio
from urllib.parse import urlsplit

import uvicorn
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS_TO_ASK, MOST_CONNECTIONS = 20, 200
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


def guarded(application: ASGIApp) -> uvicorn.Server:
    """A server of the application with these bounds."""
    config = uvicorn.Config(application, log_level="warning", http=BoundedWait, backlog=64, timeout_keep_alive=5)
    return uvicorn.Server(config)


class BoundedWait(H11Protocol):
    """A connection that is one too many, or on which no whole question arrives in time, is closed.

    It would keep a file descriptor for ever, and without any left the server would spin.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.close()
        self.loop.call_later(SECONDS_TO_ASK, self._close_unasked)

    def _close_unasked(self) -> None:
        if self.cycle is None:
            self.transport.close()
