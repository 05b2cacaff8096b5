"""A download ends as the right file or as one error that says what to do, whatever the server does."""

from __future__ import annotations

import hashlib
import re
import resource
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reranksmart.datasets.fetched import downloads
from reranksmart.datasets.fetched.downloads import AssetUnavailableError, fetch
from reranksmart.datasets.fetched.sources import Source
from reranksmart.files.holding import held

CONTENT = bytes(range(256)) * 2000
WRONG = CONTENT[::-1]
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
UNTOLD = -1
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"

Answer = Callable[["Handler"], None]
quickly = partial(fetch, attempts=3, timeout_s=0.25, wait_s=0.01)


class Handler(BaseHTTPRequestHandler):
    """Answers the requests for a path with its scripted answers in turn, the last one again and again."""

    server: Mirror

    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers.get("Range")))
        script = self.server.scripts[self.path]
        answer = script.pop(0) if len(script) > 1 else script[0]
        answer(self)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def give(
        self,
        content: bytes = CONTENT,
        *,
        upto: int | None = None,
        announce: int | None = None,
        tag: str | None = '"1"',
        kind: str = "application/octet-stream",
        ranges: bool = True,
        heed: bool = True,
        stall: bool = False,
    ) -> None:
        """The content, from where it is asked for, ``upto`` a byte of the file; what is announced may be a lie."""
        start = 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and ranges and (not heed or self.headers.get("If-Range", tag) == tag):
            start = int(asked[1])
        if start and start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if tag:
            self.send_header("ETag", tag)
        self.send_header("Content-Type", kind)
        if announce != UNTOLD:
            self.send_header("Content-Length", str(len(content) - start if announce is None else announce))
        self.end_headers()
        self.wfile.write(content[start:upto])
        self.wfile.flush()
        if stall:
            self.server.released.wait(10)

    def refuse(self, code: int, *, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()


class Mirror(ThreadingHTTPServer):
    """A local server with scripted answers, which remembers what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.scripts: dict[str, list[Answer]] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.released = threading.Event()

    def url(self, name: str, *answers: Answer) -> str:
        self.scripts[f"/{name}"] = list(answers)
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


def gives(**how: object) -> Answer:
    return lambda handler: handler.give(**how)  # type: ignore[arg-type]


def refuses(code: int, **how: dict[str, str]) -> Answer:
    return lambda handler: handler.refuse(code, **how)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setenv("no_proxy", "*")
    server = Mirror()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def source(*urls: str, checksum: str | None = SHA256, size: int | None = None, terms: str | None = None) -> Source:
    return Source(
        "toys", "toys/toy.bin", urls, size, checksum, terms, "CC0", "https://example.org/licence", "alive (2020)"
    )


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("checksum", [SHA256, MD5])
def test_a_file_is_fetched_verified_and_alone_in_its_folder(mirror: Mirror, tmp_path: Path, checksum: str) -> None:
    path = quickly(source(mirror.url("a", gives()), checksum=checksum), tmp_path)
    assert path == tmp_path / "toys" / "toy.bin"
    assert path.read_bytes() == CONTENT
    assert files(tmp_path) == {"toys/toy.bin"}
    assert quickly(source(mirror.url("a", refuses(404)), checksum=checksum), tmp_path) == path
    assert mirror.requests == [("/a", None)]


@pytest.mark.parametrize(
    "first",
    [
        gives(upto=1000),
        gives(upto=1000, stall=True),
        refuses(503),
        refuses(429, headers={"Retry-After": "0"}),
        lambda handler: handler.connection.close(),
    ],
    ids=["cut off", "stalls", "unavailable", "too many", "hangs up"],
)
def test_a_server_that_recovers_gives_the_file(mirror: Mirror, tmp_path: Path, first: Answer) -> None:
    assert quickly(source(mirror.url("a", first, gives())), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("checksum", [SHA256, None])
def test_a_download_goes_on_where_it_was_cut_off(mirror: Mirror, tmp_path: Path, checksum: str | None) -> None:
    url = mirror.url("a", gives(upto=1000), gives(upto=5000), gives())
    assert quickly(source(url, checksum=checksum), tmp_path).read_bytes() == CONTENT
    assert [asked for _, asked in mirror.requests] == [None, "bytes=1000-", "bytes=5000-"]


def test_attempts_that_bring_something_new_are_not_counted(mirror: Mirror, tmp_path: Path) -> None:
    steps = [gives(upto=1000 * step) for step in range(1, 9)]
    assert quickly(source(mirror.url("a", *steps, gives())), tmp_path).read_bytes() == CONTENT


def test_a_later_run_goes_on_with_what_an_earlier_one_left(mirror: Mirror, tmp_path: Path) -> None:
    url = mirror.url("a", gives(upto=1000), refuses(503))
    with pytest.raises(AssetUnavailableError, match="HTTP 503"):
        quickly(source(url), tmp_path)
    assert not (tmp_path / "toys" / "toy.bin").exists()
    mirror.url("a", gives())
    assert quickly(source(url), tmp_path).read_bytes() == CONTENT
    assert mirror.requests[-1] == ("/a", "bytes=1000-")


@pytest.mark.parametrize("heed", [True, False])
@pytest.mark.parametrize("checksum", [SHA256, None])
def test_a_file_that_changed_between_two_parts_is_fetched_anew(
    mirror: Mirror, tmp_path: Path, checksum: str | None, heed: bool
) -> None:
    url = mirror.url("a", gives(content=WRONG, upto=1000, tag='"old"'), gives(heed=heed))
    assert quickly(source(url, checksum=checksum), tmp_path).read_bytes() == CONTENT


def test_a_part_is_begun_anew_where_nothing_could_prove_it(mirror: Mirror, tmp_path: Path) -> None:
    url = mirror.url("a", gives(content=WRONG, upto=1000, tag=None), gives(tag=None))
    assert quickly(source(url, checksum=None), tmp_path).read_bytes() == CONTENT
    assert [asked for _, asked in mirror.requests] == [None, None]


def test_a_server_without_ranges_gives_the_file(mirror: Mirror, tmp_path: Path) -> None:
    url = mirror.url("a", gives(upto=1000, ranges=False), gives(ranges=False))
    assert quickly(source(url), tmp_path).read_bytes() == CONTENT


def test_a_part_that_is_whole_already_is_moved_into_place(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "toys").mkdir()
    (tmp_path / "toys" / ".toy.bin.part").write_bytes(CONTENT)
    assert quickly(source(mirror.url("a", gives())), tmp_path).read_bytes() == CONTENT
    assert files(tmp_path) == {"toys/toy.bin"}


@pytest.mark.parametrize(
    ("bad", "said", "asked"),
    [
        (refuses(404), "HTTP 404 Not Found", 1),
        (refuses(409), "HTTP 409 Conflict", 1),
        (refuses(503), r"HTTP 503 Service Unavailable \(3 attempts\)", 3),
        (gives(upto=1000, ranges=False), r"cut off after 1,000 of 512,000 bytes \(3 attempts\)", 3),
        (gives(upto=1000, stall=True, ranges=False), r"stopped after 1,000 bytes \(.*timed out.*\) \(3 attempts\)", 3),
        (gives(announce=len(CONTENT) + 7), r"announces 512,007 bytes, not the published 512,000", 1),
        (gives(announce=len(CONTENT) - 7), r"announces 511,993 bytes, not the published 512,000", 1),
        (gives(content=WRONG), r"its checksum is sha256:\w+, not the published sha256:", 1),
        (gives(content=b"<html>", kind="text/html; charset=utf-8"), "a web page, not with the file", 1),
        (refuses(204), "HTTP 204", 1),
    ],
    ids=["404", "409", "503", "cut", "stall", "more announced", "less announced", "wrong bytes", "web page", "nothing"],
)
def test_the_next_mirror_serves_where_one_fails(
    mirror: Mirror, tmp_path: Path, bad: Answer, said: str, asked: int
) -> None:
    first, second = mirror.url("first", bad), mirror.url("second", gives())
    assert quickly(source(first, second, size=len(CONTENT)), tmp_path).read_bytes() == CONTENT
    assert [path for path, _ in mirror.requests] == ["/first"] * asked + ["/second"]
    with pytest.raises(AssetUnavailableError, match=rf"(?s){re.escape(first)}: .*{said}"):
        quickly(source(first, size=len(CONTENT)), tmp_path / "other")
    assert "toys/toy.bin" not in files(tmp_path / "other")


@pytest.mark.parametrize(
    ("announced", "checksum", "said"),
    [(len(CONTENT) + 7, None, "cut off after 512,000 of 512,007"), (len(CONTENT) - 7, SHA256, "its checksum is")],
)
def test_a_lie_about_the_length_never_becomes_a_file(
    mirror: Mirror, tmp_path: Path, announced: int, checksum: str | None, said: str
) -> None:
    url = mirror.url("a", gives(announce=announced, ranges=False))
    with pytest.raises(AssetUnavailableError, match=said):
        quickly(source(url, checksum=checksum), tmp_path)
    assert "toys/toy.bin" not in files(tmp_path)


def test_a_length_that_is_not_told_is_checked_against_the_published_one(mirror: Mirror, tmp_path: Path) -> None:
    cut, whole = gives(announce=UNTOLD, upto=1000, ranges=False), gives(announce=UNTOLD, ranges=False)
    sized = source(mirror.url("a", cut, whole), checksum=None, size=len(CONTENT))
    assert quickly(sized, tmp_path).read_bytes() == CONTENT
    endless = source(mirror.url("b", whole), checksum=None, size=1000)
    with pytest.raises(AssetUnavailableError, match="gives more than the published 1,000 bytes"):
        quickly(endless, tmp_path / "other")


def test_a_record_that_is_none_is_named(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "toys").mkdir()
    (tmp_path / "toys" / "toy.bin.sha256").write_text("no checksum")
    with pytest.raises(ValueError, match=r"toy\.bin\.sha256 holds no sha256 and a file name\. Delete it"):
        quickly(source(mirror.url("a", gives()), checksum=None), tmp_path)


def test_a_wrong_part_does_not_spoil_a_right_mirror(mirror: Mirror, tmp_path: Path) -> None:
    first = mirror.url("first", gives(content=WRONG, upto=1000), refuses(404))
    assert quickly(source(first, mirror.url("second", gives())), tmp_path).read_bytes() == CONTENT


def test_what_cannot_be_had_is_one_error_with_all_that_one_needs(mirror: Mirror, tmp_path: Path) -> None:
    first, second = mirror.url("first", refuses(404)), mirror.url("second", refuses(503))
    closed = "http://127.0.0.1:9/third"
    with pytest.raises(AssetUnavailableError) as error:
        quickly(source(first, second, closed), tmp_path)
    said = str(error.value)
    for part in (
        "'toys'",
        f"{first}: HTTP 404 Not Found",
        f"{second}: HTTP 503 Service Unavailable (3 attempts)",
        f"{closed}: ",
        "alive (2020)",
        "https://example.org/licence",
        str(tmp_path / "toys" / "toy.bin"),
    ):
        assert part in said


def test_a_copy_got_by_hand_is_verified_and_used(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "toys").mkdir()
    (tmp_path / "toys" / "toy.bin").write_bytes(CONTENT)
    quickly(source(mirror.url("a", refuses(404)), terms="flickr30k"), tmp_path)
    (tmp_path / "toys" / "toy.bin").write_bytes(WRONG)
    with pytest.raises(ValueError, match=r"toy\.bin is not the published file: its checksum is .* Delete it"):
        quickly(source(mirror.url("a", gives())), tmp_path)
    assert (tmp_path / "toys" / "toy.bin").read_bytes() == WRONG
    assert mirror.requests == []


def test_an_unpublished_checksum_is_recorded_once_and_compared_ever_after(mirror: Mirror, tmp_path: Path) -> None:
    unproven = source(mirror.url("a", gives()), checksum=None)
    path = quickly(unproven, tmp_path)
    record = tmp_path / "toys" / "toy.bin.sha256"
    assert record.read_text() == f"{SHA256.removeprefix('sha256:')}  toy.bin\n"
    path.write_bytes(WRONG)
    with pytest.raises(ValueError, match=r"not the sha256:\w+ that was recorded .* delete toys/toy\.bin\.sha256"):
        quickly(unproven, tmp_path)
    path.unlink()
    mirror.url("a", gives(content=WRONG))
    with pytest.raises(AssetUnavailableError, match="that was recorded the first time"):
        quickly(unproven, tmp_path)
    record.unlink()
    assert quickly(unproven, tmp_path).read_bytes() == WRONG


def test_a_copy_got_by_hand_has_its_checksum_recorded(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "toys").mkdir()
    (tmp_path / "toys" / "toy.bin").write_bytes(CONTENT)
    quickly(source(mirror.url("a", gives()), checksum=None), tmp_path)
    assert files(tmp_path) == {"toys/toy.bin", "toys/toy.bin.sha256"}


def test_terms_are_accepted_by_name_before_anything_is_asked_for(mirror: Mirror, tmp_path: Path) -> None:
    bound = source(mirror.url("a", gives()), terms="flickr30k")
    with pytest.raises(ValueError, match=r"non-commercial research.*https://example\.org/licence.*add 'flickr30k'"):
        quickly(bound, tmp_path)
    assert mirror.requests == []
    assert quickly(bound, tmp_path, accepted=["flickr30k"]).read_bytes() == CONTENT


def test_a_redirect_to_another_scheme_is_not_followed_and_no_password_is_told(mirror: Mirror, tmp_path: Path) -> None:
    leads_to = "ftp://127.0.0.1/file"
    url = mirror.url("a", refuses(302, headers={"Location": leads_to})).replace("//", "//anna:secret@")
    plain = mirror.url("b", refuses(302, headers={"Location": leads_to}))
    with pytest.raises(AssetUnavailableError, match="which is not followed") as told:
        quickly(source(plain, url), tmp_path)
    assert "secret" not in str(told.value)


def test_two_at_once_fetch_a_file_once(mirror: Mirror, tmp_path: Path) -> None:
    wanted = source(mirror.url("a", gives()))
    threads = [threading.Thread(target=quickly, args=(wanted, tmp_path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "toys" / "toy.bin").read_bytes() == CONTENT
    assert len(mirror.requests) == 1


def test_a_copy_got_by_hand_is_recorded_by_one_process_after_the_other(mirror: Mirror, tmp_path: Path) -> None:
    path = tmp_path / "toys" / "toy.bin"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    other = threading.Thread(target=quickly, args=(source(mirror.url("a", gives()), checksum=None), tmp_path))
    with held(path):
        other.start()
        other.join(0.2)
        assert not path.with_name("toy.bin.sha256").exists()
    other.join()
    assert path.with_name("toy.bin.sha256").exists()


def test_a_disk_that_fills_up_is_named_and_what_came_is_gone_on_with(mirror: Mirror, tmp_path: Path) -> None:
    wanted = source(mirror.url("a", gives()))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(CONTENT) // 2, limits[1]))
    try:
        with pytest.raises(
            OSError, match=r"toy\.bin cannot be written: File too large\. .* give the same command again"
        ):
            quickly(wanted, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert quickly(wanted, tmp_path).read_bytes() == CONTENT
    assert [asked for _, asked in mirror.requests] == [None, f"bytes={len(CONTENT) // 2}-"]


def test_a_full_disk_is_no_fault_of_the_server(mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "toys" / ".toy.bin.part").mkdir(parents=True)
    with pytest.raises(OSError, match=r"toy\.bin\.part"):
        quickly(source(mirror.url("a", gives()), mirror.url("b", gives())), tmp_path)
    assert [path for path, _ in mirror.requests] == ["/a"]


def test_the_wait_doubles_and_the_server_may_ask_for_another(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(downloads.time, "sleep", waits.append)
    asking = refuses(503, headers={"Retry-After": "7"})
    endless = refuses(503, headers={"Retry-After": "100000"})
    url = mirror.url("a", refuses(503), refuses(503), asking, endless, gives())
    fetch(source(url), tmp_path, attempts=5, timeout_s=1, wait_s=2)
    assert waits == [2, 4, 7, downloads.LONGEST_WAIT_S]
