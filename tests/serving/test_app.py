"""The server over HTTP: what it answers, and what it refuses without harm."""

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from reranksmart.searching import Searcher
from reranksmart.serving import uploads


def test_a_text_finds_what_the_searcher_finds(client: TestClient, searcher: Searcher) -> None:
    found = client.get("/api/search", params={"text": "a red rectangle", "k": 5, "top": 8}).json()
    expected = searcher.search("a red rectangle", k=5, top=8)
    for stage in ("retrieved", "reranked"):
        assert [hit["id"] for hit in found[stage]] == [hit.id for hit in getattr(expected, stage)]
    assert set(found["times_ms"]) == {"encode query", "search", "score pairs"}
    assert searcher.contents.pictures[found["reranked"][0]["row"]].id == found["reranked"][0]["id"]


def test_a_picture_finds_captions(client: TestClient, picture: Path, searcher: Searcher) -> None:
    found = client.post("/api/search?k=4&top=4", content=picture.read_bytes()).json()
    assert found["direction"] == "image-to-text"
    assert [hit["text"] for hit in found["reranked"]] == [
        hit.text for hit in searcher.search(image=picture, k=4, top=4).reranked
    ]


def test_pictures_are_squares_large_whole_and_regions_boxes(client: TestClient, searcher: Searcher) -> None:
    for path, size in (("/pictures/3", (256, 256)), ("/pictures/3/large", (160, 120))):
        shown = client.get(path)
        assert shown.headers["content-type"] == "image/jpeg"
        assert Image.open(io.BytesIO(shown.content)).size == size
    seen = client.get("/regions/3").json()
    assert seen["shape"] == pytest.approx(160 / 120)
    assert len(seen["regions"]) == len(searcher.regions_of(searcher.contents.pictures[3].id)[0].boxes)
    assert all(0 <= value <= 1 for region in seen["regions"] for value in region["box"])


def test_a_picture_finds_pictures_like_it_but_not_itself(client: TestClient, picture: Path, searcher: Searcher) -> None:
    vectors = searcher.contents.images.reconstruct_n(0, len(searcher))
    nearest = np.argsort(-(vectors @ vectors[3]), kind="stable")
    expected = [searcher.contents.pictures[row].id for row in nearest if row != 3][:5]
    found = client.get("/api/search?like=3&top=5").json()
    assert found["direction"] == "image-to-image"
    assert [hit["id"] for hit in found["retrieved"]] == expected
    assert found["reranked"] == []
    sent = client.post("/api/search?similar=1&top=3", content=picture.read_bytes()).json()
    assert sent["retrieved"][0]["id"] == searcher.contents.pictures[0].id  # itself: the server cannot know
    assert client.get("/api/search?like=16").status_code == 404


def test_the_start_shows_what_there_is(client: TestClient) -> None:
    about = client.get("/api/about").json()
    assert (about["name"], about["pictures"], about["captions"]) == ("pictures", 16, 17)
    assert about["example_texts"][0].startswith("a ")
    assert [example["row"] for example in about["examples"]] == [row * 16 // 12 for row in range(12)]


def test_words_that_the_model_lacks_are_named(client: TestClient) -> None:
    assert client.get("/api/search?text=a red ☃ 猫").json()["unknown"] == ["猫"]
    assert client.get("/api/search?text=a red ellipse").json()["unknown"] == []


def test_a_rate_of_false_alarms_is_a_share(client: TestClient) -> None:
    assert client.get("/api/search?text=red&false_alarms=0.01").json()["nothing_matches"] is None  # not learned
    for wrong in ("2", "-0.1", "0.0", "1e-3", "x"):
        reply = client.get(f"/api/search?text=red&false_alarms={wrong}")
        assert (reply.status_code, "false_alarms" in reply.json()["error"]) == (400, True)


def test_a_deleted_picture_is_marked_and_still_shown_small(
    client: TestClient, picture: Path, searcher: Searcher
) -> None:
    picture.rename(picture.with_suffix(".away"))
    try:
        hits = client.get("/api/search?text=red&top=16").json()["retrieved"]
        assert [hit["row"] for hit in hits if hit["deleted"]] == [0]
        assert client.get("/pictures/0").status_code == 200
        assert client.get("/pictures/0/large").status_code == 404
    finally:
        picture.with_suffix(".away").rename(picture)


def test_what_replaced_a_picture_is_not_run(client: TestClient, picture: Path) -> None:
    """PostScript of whichever name would start Ghostscript."""
    content = picture.read_bytes()
    picture.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n")
    try:
        assert client.get("/pictures/0/large").status_code == 404
    finally:
        picture.write_bytes(content)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://localhost"}, 200),
        ({"origin": "http://localhost:3000"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_another_site_starts_no_work(client: TestClient, headers: dict[str, str], status: int) -> None:
    assert client.get("/api/search?text=gold", headers=headers).status_code == status
    assert client.get("/pictures/0/large", headers=headers).status_code == status
    assert client.get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 200  # a link to the page


def test_the_page_loads_nothing_from_elsewhere_and_forbids_it(client: TestClient) -> None:
    for name in ("", "page.css", "page.js", "icon.svg"):
        reply = client.get(f"/{name}")
        assert reply.status_code == 200
        assert reply.headers["content-security-policy"].startswith("default-src 'none'")
        assert "unsafe" not in reply.headers["content-security-policy"]
        assert "//" not in reply.text.replace("http://www.w3.org/2000/svg", "").replace("// ", "")


def test_no_other_site_shows_the_pictures_and_no_browser_keeps_them(client: TestClient) -> None:
    """Another index may be served at the same address next, and its pictures have the same numbers."""
    headers = client.get("/pictures/3").headers
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-cache"


def test_scripts_of_the_page_write_no_html(client: TestClient) -> None:
    script = client.get("/page.js").text
    assert "textContent" in script
    for dangerous in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert dangerous not in script


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fapp.py",
        "/app.py",
        "/__init__.py",
        "/pictures/../../etc/passwd",
        "/pictures/%2fetc%2fpasswd",
        "/pictures/-1",
        "/pictures/999999",
        "/regions/999999",
        "/regions/1e3",
    ],
)
def test_no_path_leaves_what_is_served(client: TestClient, path: str) -> None:
    reply = client.get(path)
    assert reply.status_code == 404
    assert set(reply.json()) == {"error"}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("text=", "is empty"),
        ("text=%20", "is empty"),
        ("text=" + "a" * 1001, "at most 1000"),
        ("text=a&k=0", "k is '0'"),
        ("text=a&k=501", "k is '501'"),
        ("text=a&k=-3", "k is '-3'"),
        ("text=a&k=%C2%B2", "k is '²'"),
        ("text=a&top=1e9", "top is '1e9'"),
        ("text=a&top=99999999999999999999", "top is"),
        ("text=a&top=0000000010000000", "top is"),
        ("text=a&k=000000001999999", "k is"),
    ],
)
def test_a_senseless_question_is_told_what_is_allowed(client: TestClient, query: str, said: str) -> None:
    reply = client.get(f"/api/search?{query}")
    assert reply.status_code == 400
    assert said in reply.json()["error"]


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 900 million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (30_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_what_is_no_picture_is_refused(client: TestClient, picture: Path) -> None:
    gif = io.BytesIO()
    Image.new("RGB", (9, 9)).save(gif, "GIF")
    for body in (b"", b"no picture", b"<svg onload='alert(1)'/>", picture.read_bytes()[:-60], gif.getvalue()):
        reply = client.post("/api/search", content=body)
        assert reply.status_code == 415
        assert "send a JPEG, PNG or WebP" in reply.json()["error"]
    assert client.post("/api/search", content=bomb()).status_code == 413
    thin = io.BytesIO()
    Image.new("L", (1, 30_000)).save(thin, "PNG")
    assert "20,000 on a side" in client.post("/api/search", content=thin.getvalue()).json()["error"]


def test_an_oversize_upload_is_refused_announced_or_not(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 1024**2)

    def endless():
        for _ in range(3):
            yield b"\0" * 1024**2

    for body in (b"\0" * (1024**2 + 1), endless()):
        reply = client.post("/api/search", content=body)
        assert reply.status_code == 413
        assert "larger than 1 MB" in reply.json()["error"]


def test_another_sites_name_is_refused(client: TestClient) -> None:
    assert client.get("/api/about", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/api/about", headers={"host": "127.0.0.1:8000"}).status_code == 200
