"""Clients that are slow, gone or too many: they cost the others little, and nobody a traceback."""

from __future__ import annotations

import asyncio
import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from socket import create_connection, socket
from typing import Any

import psutil
import pytest
from PIL import Image
from starlette.types import Receive, Scope, Send

from reranksmart.searching import Searcher
from reranksmart.searching.results import Query, Results
from reranksmart.serving import guards, uploads
from reranksmart.serving.app import UPLOADS_AT_ONCE, create_app

Served = Callable[..., AbstractContextManager[int]]
PATIENCE_S = 0.3
QUESTION = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGE_QUESTION = QUESTION.replace(b"/", b"/large", 1)
LARGE = 50_000_000
"""Bytes: more than the system keeps of an answer for a client that does not take it."""
UPLOAD = b"POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """One byte, at /late after a while; at /large many."""
    assert scope["type"] == "http"
    if scope["path"] == "/late":
        await asyncio.sleep(5 * PATIENCE_S)
    body = b"x" * (LARGE if scope["path"] == "/large" else 1)
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(autouse=True)
def _nothing_is_said(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert capsys.readouterr().err == ""
    assert caplog.get_records("call") == []


def connected(port: int) -> socket:
    return create_connection(("127.0.0.1", port), timeout=60)


def require_answer(client: socket) -> None:
    client.sendall(QUESTION)
    said = b""
    while not said.endswith(b"\r\n\r\nx"):
        chunk = client.recv(1000)
        assert chunk
        said += chunk


def asked(port: int, path: str, picture: Path | None = None) -> Any:
    """The answer to a text, or to a picture that is sent."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST" if picture else "GET", path, picture.read_bytes() if picture else None)
    reply = connection.getresponse()
    assert reply.status == 200
    return json.load(reply)


@pytest.mark.parametrize(
    ("said", "drip"),
    [
        pytest.param(b"", b"", id="says nothing"),
        pytest.param(QUESTION[:20], b"", id="breaks off"),
        pytest.param(QUESTION[:-2] + b"x: ", b"y", id="never ends its question"),
        pytest.param(QUESTION + QUESTION[:-2] + b"x: ", b"y", id="never ends its second question"),
        pytest.param(UPLOAD, b"y", id="sends what nobody reads"),
    ],
)
def test_a_client_that_comes_to_no_end_is_hung_up_on(
    said: bytes, drip: bytes, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "PATIENCE_S", PATIENCE_S)
    with served(answer) as port, connected(port) as client, suppress(ConnectionError):
        client.sendall(said)
        client.settimeout(PATIENCE_S / 6)
        until, heard = time.monotonic() + 20, b"something"
        while heard:
            assert time.monotonic() < until
            client.sendall(drip)
            with suppress(TimeoutError):
                heard = client.recv(1000)


@pytest.mark.parametrize("questions", [1, 2])
def test_a_client_that_takes_no_answer_is_hung_up_on(
    questions: int, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "PATIENCE_S", PATIENCE_S)
    with served(answer) as port, connected(port) as client:
        client.sendall(questions * LARGE_QUESTION)
        time.sleep(10 * PATIENCE_S)
        taken = 0
        with suppress(ConnectionError):
            while chunk := client.recv(2**20):
                taken += len(chunk)
        assert taken < LARGE


def test_a_client_that_waits_for_its_answer_is_not(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "PATIENCE_S", PATIENCE_S)
    with served(answer) as port, connected(port) as client:
        client.sendall(QUESTION.replace(b"/", b"/late", 1))
        assert client.recv(1000).startswith(b"HTTP/1.1 200")


_SERVER = """
import asyncio, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
from reranksmart.serving import guards
from reranksmart.serving.listening import listening
guards.PATIENCE_S = 60.0

async def answer(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
    await send({"type": "http.response.body", "body": b"x"})

with listening("127.0.0.1", 0) as listener:
    print(listener.getsockname()[1], flush=True)
    guards.guarded(answer).run(sockets=[listener])
"""


@pytest.fixture
def small_server() -> Iterator[subprocess.Popen[bytes]]:
    """A server that may open few files; its first line is its port."""
    with subprocess.Popen([sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        yield server
        server.kill()


def test_more_clients_than_file_descriptors_make_the_server_neither_spin_nor_complain(
    small_server: subprocess.Popen[bytes],
) -> None:
    assert small_server.stdout
    assert small_server.stderr
    port, process = int(small_server.stdout.readline()), psutil.Process(small_server.pid)
    with ExitStack() as stack:
        first = stack.enter_context(connected(port))
        for _ in range(300):
            stack.enter_context(connected(port))
        before = sum(process.cpu_times()[:2])
        time.sleep(1)
        assert sum(process.cpu_times()[:2]) - before < 0.3
        require_answer(first)
    with connected(port) as client:
        require_answer(client)
    small_server.terminate()
    assert small_server.stderr.read() == b""


def test_nothing_is_computed_for_those_who_hung_up(
    searcher: Searcher, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    computing, go_on, batches = threading.Event(), threading.Event(), []
    compute = searcher.search_many

    def watched(queries: Sequence[Query]) -> list[Results]:
        batches.append([query.text for query in queries])
        computing.set()
        assert go_on.wait(60)
        return compute(queries)

    monkeypatch.setattr(searcher, "search_many", watched)
    with served(create_app(searcher)) as port, ThreadPoolExecutor() as pool:
        first = pool.submit(asked, port, "/api/search?text=gold")
        assert computing.wait(60)
        for _ in range(4):
            with connected(port) as client:
                client.sendall(QUESTION.replace(b"/", b"/api/search?text=red", 1))
                time.sleep(0.1)
        last = pool.submit(asked, port, "/api/search?text=blue")
        time.sleep(0.5)
        go_on.set()
        assert len(first.result()["reranked"]) == len(last.result()["reranked"]) == 10
    assert batches == [["gold"], ["blue"]]


def test_slow_senders_and_those_who_hang_up_in_between_keep_nobody_waiting(
    searcher: Searcher, served: Served, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PATIENCE_S", PATIENCE_S)
    with served(create_app(searcher)) as port, ExitStack() as stack:
        for _ in range(2):
            with connected(port) as gone:
                gone.sendall(UPLOAD + picture.read_bytes()[:60])
        slow = [stack.enter_context(connected(port)) for _ in range(UPLOADS_AT_ONCE)]
        for client in slow:
            client.sendall(UPLOAD + picture.read_bytes()[:60])
        assert asked(port, "/api/search?k=4&top=4", picture)["direction"] == "image-to-text"
        for client in slow:
            assert client.recv(1000).startswith(b"HTTP/1.1 408")


@pytest.mark.slow
def test_eight_large_pictures_at_once_are_answered_rightly_within_bounded_memory(
    searcher: Searcher, served: Served, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{row}.png" for row in range(2)]
    for path, picture in zip(paths, searcher.contents.pictures, strict=False):
        Image.open(picture.path).resize((6000, 4000), Image.Resampling.NEAREST).save(path, compress_level=1)
    expected = [[hit.id for hit in searcher.search(image=path, k=4, top=4).reranked] for path in paths]
    with served(create_app(searcher)) as port, ThreadPoolExecutor(8) as pool:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = _megabytes("VmRSS")
        found = pool.map(lambda path: asked(port, "/api/search?k=4&top=4", path), 4 * paths)
        assert [[hit["id"] for hit in each["reranked"]] for each in found] == 4 * expected
    assert _megabytes("VmHWM") - before < 600  # decoded, each has 96


def _megabytes(name: str) -> float:
    """What the system says of this process's memory."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name)) / 1024
