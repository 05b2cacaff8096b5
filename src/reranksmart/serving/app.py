"""The server: one page, searches, thumbnails and regions. Pictures are named by number, never by path."""

from __future__ import annotations

import asyncio
import contextlib
import io
import tempfile
from collections.abc import AsyncIterator
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from PIL import Image
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reranksmart.files.photographs import read_photograph
from reranksmart.searching import Hit, Query, Results, Searcher
from reranksmart.serving.batching import Batcher
from reranksmart.serving.uploads import RefusedError, read_bounded, require_picture

THUMBNAIL_SIDE = 360
LONGEST_TEXT = 1000
DEEPEST, MOST_SHOWN = 500, 100
LOCAL_NAMES = ("localhost", "127.0.0.1")
_PAGE = {"page.html": "text/html", "page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
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


def create_app(searcher: Searcher, *, hosts: tuple[str, ...] = LOCAL_NAMES) -> Starlette:
    """The application over an index; requests that name another host are refused."""
    batcher = Batcher(searcher.search_many)
    pictures = list(searcher.contents.pictures)
    row_by_id = {picture.id: row for row, picture in enumerate(pictures)}
    row_by_path = {picture.path: row for row, picture in enumerate(pictures)}

    def told(hit: Hit) -> dict[str, Any]:
        row = row_by_id.get(hit.id, row_by_path.get(hit.picture))
        shown = {key: getattr(hit, key) for key in ("id", "text", "retrieved_rank", "rank", "cosine", "log_odds")}
        return {**shown, "row": row, "name": hit.picture.name}

    def answer(results: Results) -> JSONResponse:
        lists = {name: [told(hit) for hit in getattr(results, name)] for name in ("retrieved", "reranked")}
        return JSONResponse({**results.as_json(), **lists})

    async def page(request: Request) -> Response:
        name = request.path_params.get("name", "page.html")
        if name not in _PAGE:
            raise HTTPException(404, "There is no such file.")
        text = (files("reranksmart.serving") / name).read_text(encoding="utf-8")
        return Response(text, media_type=_PAGE[name])

    async def about(_: Request) -> Response:
        return JSONResponse(
            {"name": searcher.settings.name, "pictures": len(pictures), "captions": len(searcher.contents.captions)}
        )

    async def search_text(request: Request) -> Response:
        text = request.query_params.get("text", "")
        if len(text) > LONGEST_TEXT:
            raise HTTPException(400, f"The text has {len(text)} letters; at most {LONGEST_TEXT} are read.")
        query = Query(text, depth=_number(request, "k", 20, DEEPEST), top=_number(request, "top", 10, MOST_SHOWN))
        return answer(await batcher.ask(query))

    async def search_image(request: Request) -> Response:
        depth, top = _number(request, "k", 20, DEEPEST), _number(request, "top", 10, MOST_SHOWN)
        body = await read_bounded(request.stream(), announced=request.headers.get("content-length"))
        await asyncio.to_thread(require_picture, body)
        with tempfile.NamedTemporaryFile(suffix=".image") as file:
            file.write(body)
            file.flush()
            return answer(await batcher.ask(Query(image=Path(file.name), depth=depth, top=top)))

    @lru_cache(maxsize=1024)
    def thumbnail(row: int) -> bytes:
        image = Image.fromarray(read_photograph(pictures[row].path))
        image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=85)
        return buffer.getvalue()

    def show_picture(request: Request) -> Response:
        row = _row(request, len(pictures))
        try:
            shown = thumbnail(row)
        except (OSError, ValueError):
            raise HTTPException(404, f"{pictures[row].path.name} cannot be read any more.") from None
        return Response(shown, media_type="image/jpeg")

    def regions(request: Request) -> Response:
        store = searcher.regions_of(pictures[_row(request, len(pictures))].id)
        if store is None:  # the index's model reads pixels
            return JSONResponse([])
        found = store[0]
        names = [store.label_names[label] if store.label_names and label >= 0 else "" for label in found.labels]
        rows = zip(found.boxes.tolist(), names, found.confidences.tolist(), strict=True)
        return JSONResponse([{"box": box, "label": name, "confidence": sure} for box, name, sure in rows])

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(batcher.run())
        yield
        task.cancel()

    return Starlette(
        routes=[
            Route("/", page),
            Route("/api/about", about),
            Route("/api/search", search_text, methods=["GET"]),
            Route("/api/search", search_image, methods=["POST"]),
            Route("/pictures/{row:int}", show_picture),
            Route("/regions/{row:int}", regions),
            Route("/{name}", page),
        ],
        middleware=[Middleware(SafeHeaders), Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))],
        exception_handlers={HTTPException: _refusal, ValueError: _refusal, Exception: _failure},
        lifespan=lifespan,
    )


async def _refusal(_: Request, error: Exception) -> Response:
    """What was wrong, as JSON; nobody's fault but the request's."""
    if isinstance(error, HTTPException):
        return JSONResponse({"error": error.detail}, error.status_code)
    return JSONResponse({"error": str(error)}, error.status if isinstance(error, RefusedError) else 400)


async def _failure(_: Request, __: Exception) -> Response:
    return JSONResponse({"error": "The server failed; its terminal says why."}, 500)


def _number(request: Request, key: str, default: int, most: int) -> int:
    text = request.query_params.get(key, str(default))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most):
        raise HTTPException(400, f"{key} is {text[:20]!r}; give a number from 1 to {most}.")
    return int(text)


def _row(request: Request, rows: int) -> int:
    row: int = request.path_params["row"]
    if row >= rows:
        raise HTTPException(404, f"There is no picture {row}; there are {rows}.")
    return row
