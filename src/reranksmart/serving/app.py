"""The server: one page, searches, pictures and regions. Pictures are asked for by number, never by path."""

import asyncio
import contextlib
import io
import re
import tempfile
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reranksmart.files.photographs import read_scaled
from reranksmart.searching.results import Hit, Query, Results
from reranksmart.searching.searcher import Searcher
from reranksmart.serving.batching import Batcher
from reranksmart.serving.guards import OwnPageOnly, SafeHeaders, while_wanted
from reranksmart.serving.uploads import RefusedError, read_bounded, require_picture

LARGE_SIDE = 1000
LONGEST_TEXT = 1000
DEEPEST, MOST_SHOWN = 500, 100
PAGEFUL = 12
DECODED_AT_ONCE, UPLOADS_AT_ONCE = 2, 8
LOCAL_NAMES = ("localhost", "127.0.0.1")
_PAGE = {"page.html": "text/html", "page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
_PAGE |= {"answers.js": "text/javascript"}
_T = TypeVar("_T")
_Given = TypeVar("_Given")


def create_app(searcher: Searcher, *, hosts: tuple[str, ...] = LOCAL_NAMES) -> Starlette:
    """The application over an index; requests that name another host, or come from another site, are refused."""
    batcher = Batcher(searcher.search_many)
    pictures = list(searcher.contents.pictures)
    row_by_id = {picture.id: row for row, picture in enumerate(pictures)}
    row_by_path = {picture.path: row for row, picture in enumerate(pictures)}
    decoders, uploads = ThreadPoolExecutor(DECODED_AT_ONCE), asyncio.Semaphore(UPLOADS_AT_ONCE)

    def decoded(decode: Callable[[_Given], _T], given: _Given) -> "asyncio.Future[_T]":
        return asyncio.get_running_loop().run_in_executor(decoders, decode, given)

    def told(hit: Hit) -> dict[str, Any]:
        row = row_by_id.get(hit.id, row_by_path.get(hit.picture))
        keys = ("id", "text", "retrieved_rank", "rank", "cosine", "log_odds", "deleted")
        shown = {key: getattr(hit, key) for key in keys}
        return {**shown, "row": row, "name": hit.picture.name, "path": str(hit.picture)}

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
        captions = searcher.contents.captions.texts
        return JSONResponse(
            {
                "name": searcher.settings.name,
                "pictures": len(pictures),
                "captions": len(captions),
                "most_shown": MOST_SHOWN,
                "example_texts": [captions[row] for row in _spread(len(captions), 4) if len(captions[row]) <= 80],
                "examples": [
                    {"row": row, "name": pictures[row].path.name, "path": str(pictures[row].path)}
                    for row in _spread(len(pictures), PAGEFUL)
                ],
            }
        )

    async def search(request: Request) -> Response:
        text = request.query_params.get("text", "")
        depth, top = _number(request, "k", 20, DEEPEST), _number(request, "top", 10, MOST_SHOWN)
        if "like" in request.query_params:
            like = pictures[_row(request.query_params["like"], len(pictures))].id
            return answer(await while_wanted(request, batcher.ask(Query(like=like, top=top))))
        if len(text) > LONGEST_TEXT:
            raise HTTPException(400, f"The text has {len(text)} letters; at most {LONGEST_TEXT} are read.")
        query = Query(text, depth=depth, top=top, false_alarms=_share(request))
        return answer(await while_wanted(request, batcher.ask(query)))

    async def search_image(request: Request) -> Response:
        depth, top = _number(request, "k", 20, DEEPEST), _number(request, "top", 10, MOST_SHOWN)
        similar, alarms = "similar" in request.query_params, _share(request)
        with tempfile.NamedTemporaryFile(suffix=".image") as file:
            async with uploads:
                body = await read_bounded(request.stream(), announced=request.headers.get("content-length"))
                await decoded(require_picture, body)  # to its end, also for who hung up: the bytes are held as long
                file.write(body)
                file.flush()
                del body
            query = Query(image=Path(file.name), depth=depth, top=top, similar=similar, false_alarms=alarms)
            return answer(await while_wanted(request, batcher.ask(query)))

    async def thumbnail(request: Request) -> Response:
        jpeg, _ = searcher.contents.thumbnail(_row(request.path_params["row"], len(pictures)))
        return Response(jpeg, media_type="image/jpeg")

    def shrunk(path: Path) -> bytes:
        buffer = io.BytesIO()
        read_scaled(path, side=LARGE_SIDE).save(buffer, "JPEG", quality=88)
        return buffer.getvalue()

    async def large(request: Request) -> Response:
        path = pictures[_row(request.path_params["row"], len(pictures))].path
        try:
            shown = await while_wanted(request, decoded(shrunk, path))
        except (OSError, ValueError):
            raise HTTPException(404, f"{path.name} cannot be read any more.") from None
        return Response(shown, media_type="image/jpeg")

    def regions(request: Request) -> Response:
        row = _row(request.path_params["row"], len(pictures))
        _, shape = searcher.contents.thumbnail(row)
        store = searcher.regions_of(pictures[row].id)
        if store is None:  # the index's model reads pixels
            return JSONResponse({"shape": shape, "regions": []})
        found = store[0]
        names = [store.label_names[label] if store.label_names and label >= 0 else "" for label in found.labels]
        rows = zip(found.boxes.tolist(), names, found.confidences.tolist(), strict=True)
        told = [{"box": box, "label": name, "confidence": sure} for box, name, sure in rows]
        return JSONResponse({"shape": shape, "regions": told})

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(batcher.run())
        with decoders:
            yield
        task.cancel()

    return Starlette(
        routes=[
            Route("/", page),
            Route("/api/about", about),
            Route("/api/search", search, methods=["GET"]),
            Route("/api/search", search_image, methods=["POST"]),
            Route("/pictures/{row}", thumbnail),
            Route("/pictures/{row}/large", large),
            Route("/regions/{row}", regions),
            Route("/{name}", page),
        ],
        middleware=[
            Middleware(SafeHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts)),
            Middleware(OwnPageOnly),
        ],
        exception_handlers={
            HTTPException: _refusal,
            ValueError: _refusal,
            FileNotFoundError: _refusal,
            ClientDisconnect: _gone,
            Exception: _failure,
        },
        lifespan=lifespan,
    )


async def _refusal(_: Request, error: Exception) -> Response:
    """What was wrong, as JSON; nobody's fault but the request's."""
    if isinstance(error, HTTPException):
        return JSONResponse({"error": error.detail}, error.status_code)
    return JSONResponse({"error": str(error)}, error.status if isinstance(error, RefusedError) else 400)


async def _gone(_: Request, __: Exception) -> Response:
    """For a client that hung up, who reads it no more."""
    return Response(status_code=400)


async def _failure(_: Request, __: Exception) -> Response:
    return JSONResponse({"error": "The server failed; its terminal says why."}, 500)


def _number(request: Request, key: str, default: int, most: int) -> int:
    text = request.query_params.get(key, str(default))
    number = _digits(text)
    if number is None or not 1 <= number <= most:
        raise HTTPException(400, f"{key} is {text[:20]!r}; give a number from 1 to {most}.")
    return number


def _share(request: Request) -> float:
    text = request.query_params.get("false_alarms", "0.05")
    share = float(text) if re.fullmatch(r"0?\.\d{1,6}", text) else 0.0
    if not share:
        raise HTTPException(400, f"false_alarms is {text[:20]!r}; give a share between 0 and 1, such as 0.05.")
    return share


def _row(text: str, rows: int) -> int:
    row = _digits(text)
    if row is None or row >= rows:
        raise HTTPException(404, f"There is no picture {text[:20]!r}; there are {rows}, numbered from 0.")
    return row


def _digits(text: str) -> int | None:
    """The number that at most nine digits write; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def _spread(count: int, wanted: int) -> list[int]:
    """At most so many rows, evenly spread over all."""
    return [row * count // min(wanted, count) for row in range(min(wanted, count))]
