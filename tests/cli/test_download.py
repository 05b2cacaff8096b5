"""The verbs that fetch: what was brought outlives the job, and what cannot be had says what to do."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from reranksmart.cli import load
from reranksmart.cli.verb import app
from reranksmart.config.datasets import Downloads
from reranksmart.config.validation import validated
from reranksmart.datasets.fetched.archives import unpack as unpack_archive
from reranksmart.plan.places import located, manifests
from reranksmart.values.settings import ConfigError

load("download")

ROOT = Path(__file__).parent.parent.parent
RUNNER = CliRunner()
HEADER = "asset,file,urls,bytes,checksum,checksum_from,terms,licence,licence_page,state,state_date\n"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Serves ``served`` below the test's folder."""
    (tmp_path / "served").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "served"))) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def table(tmp_path: Path, *rows: tuple[str, str, str]) -> Path:
    """A table of sources of (file, URL, terms)."""
    path = tmp_path / "sources.csv"
    lines = [f"it,{file},{url},,,,{terms},free,http://a.org,alive,\n" for file, url, terms in rows]
    path.write_text(HEADER + "".join(lines))
    return path


def download(tmp_path: Path, source: str, *, accept: tuple[str, ...] = ()) -> Path:
    sources, folder = str(tmp_path / "sources.csv"), str(tmp_path / "downloads")
    settings = Downloads(folder=folder, sources=sources, accept=accept, attempts=1, timeout_s=2, wait_s=0)
    output = tmp_path / "records" / f"{source}.json"
    arguments = ["download", "--source", source, "--settings", settings.model_dump_json(), "--output", str(output)]
    done = RUNNER.invoke(app, arguments)
    if done.exception is not None:
        raise done.exception
    return output


def test_a_folder_of_sources_is_fetched_and_recorded(tmp_path: Path, server: str) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / "served" / name).write_text(name)
    table(tmp_path, *((f"some/deep/{name}", f"{server}/{name}", "") for name in ("a.txt", "b.txt")))
    record = json.loads(download(tmp_path, "some").read_text())
    assert (tmp_path / "downloads/some/deep/b.txt").read_text() == "b.txt"
    checksum = f"sha256:{hashlib.sha256(b'a.txt').hexdigest()}"
    assert record["some/deep/a.txt"] == {"bytes": 5, "checksum": checksum, "licence": "free"}


def test_what_was_fetched_survives_a_failed_job(tmp_path: Path, server: str) -> None:
    (tmp_path / "served" / "a.txt").write_text("a")
    table(tmp_path, ("some/a.txt", f"{server}/a.txt", ""), ("some/gone.txt", f"{server}/gone.txt", ""))
    with pytest.raises(
        FileNotFoundError, match=r"gone\.txt: HTTP 404[\s\S]*Put a copy got by hand at .*some/gone\.txt"
    ):
        download(tmp_path, "some")
    assert (tmp_path / "downloads/some/a.txt").read_text() == "a"
    assert not (tmp_path / "records").exists()
    (tmp_path / "downloads/some/gone.txt").write_text("by hand")
    assert set(json.loads(download(tmp_path, "some").read_text())) == {"some/a.txt", "some/gone.txt"}


def test_terms_must_be_accepted_by_name(tmp_path: Path, server: str) -> None:
    (tmp_path / "served" / "a.txt").write_text("a")
    table(tmp_path, ("some/a.txt", f"{server}/a.txt", "flickr30k"))
    with pytest.raises(ValueError, match="add 'flickr30k' to the accepted terms"):
        download(tmp_path, "some")
    assert download(tmp_path, "some", accept=("flickr30k",)).is_file()


def unpack(tmp_path: Path, record: Path) -> Path:
    output = tmp_path / "unpacked.json"
    arguments = ["unpack", "--download", record, "--folder", tmp_path / "downloads", "--output", output]
    done = RUNNER.invoke(app, list(map(str, arguments)))
    if done.exception is not None:
        raise done.exception
    return output


def packed(**files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"Sentences/{name}.txt", text)
    return content.getvalue()


def test_an_archive_is_unpacked_beside_itself_once(tmp_path: Path, server: str) -> None:
    (tmp_path / "served" / "x.zip").write_bytes(packed(a="one", b="two"))
    table(tmp_path, ("some/x.zip", f"{server}/x.zip", ""))
    record = download(tmp_path, "some/x.zip")
    assert json.loads(unpack(tmp_path, record).read_text())["files"] == 2
    text = tmp_path / "downloads/some/x/Sentences/b.txt"
    assert text.read_text() == "two"
    before = text.stat().st_mtime_ns
    unpack(tmp_path, record)
    assert text.stat().st_mtime_ns == before
    text.unlink()
    unpack(tmp_path, record)
    assert text.read_text() == "two"


def test_two_at_once_unpack_an_archive_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As runs do that share a folder of downloads: one would take the other's half for that of a killed job."""
    (tmp_path / "x.zip").write_bytes(packed(a="one", b="two"))
    extract, begun = zipfile.ZipFile.extractall, threading.Semaphore(0)
    started = []

    def extract_slowly(archive: zipfile.ZipFile, path: Path) -> None:
        started.append(path)
        begun.release()
        begun.acquire(timeout=0.5)  # a second one that begins
        extract(archive, path)

    monkeypatch.setattr(zipfile.ZipFile, "extractall", extract_slowly)
    threads = [threading.Thread(target=unpack_archive, args=(tmp_path / "x.zip", tmp_path / "x")) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(started) == 1
    assert {path.name for path in tmp_path.rglob("*")} == {"x.zip", "x", "Sentences", "a.txt", "b.txt"}


def test_a_tape_archive_is_unpacked_too_but_nothing_out_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    for name, inside in (("x.tgz", "pictures/a.txt"), ("y.tar.gz", "../a.txt")):
        with tarfile.open(tmp_path / name, "w:gz") as archive:
            archive.add(tmp_path / "a.txt", inside)
    assert unpack_archive(tmp_path / "x.tgz", tmp_path / "x") == 1
    assert (tmp_path / "x" / "pictures" / "a.txt").read_text() == "one"
    with pytest.raises(ValueError, match=r"y\.tar\.gz is not a whole \.tar\.gz file .*outside the destination"):
        unpack_archive(tmp_path / "y.tar.gz", tmp_path / "y")
    content = (tmp_path / "x.tgz").read_bytes()
    (tmp_path / "x.tgz").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"x\.tgz is not a whole \.tar\.gz file"):
        unpack_archive(tmp_path / "x.tgz", tmp_path / "z")


def test_an_archive_that_is_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(32 * 2**20))
    with pytest.raises(ValueError, match=r"x\.zip would unpack to 33,554,432 bytes from .* Delete it"):
        unpack_archive(tmp_path / "x.zip", tmp_path / "x")
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]


def test_a_broken_archive_is_named(tmp_path: Path, server: str) -> None:
    (tmp_path / "served" / "x.zip").write_bytes(packed(a="one" * 100)[:-30])
    table(tmp_path, ("some/x.zip", f"{server}/x.zip", ""))
    with pytest.raises(ValueError, match=r"x\.zip is not a whole \.zip file .*Delete it and its record"):
        unpack(tmp_path, download(tmp_path, "some/x.zip"))
    assert not (tmp_path / "downloads/some/x").exists()


def test_places_of_the_configuration_name_sources() -> None:
    config = validated(yaml.safe_load((ROOT / "config.yaml").read_text()))
    places = {"a": ["source:multi30k", "/mine"], "b": "source:flickr30k_entities/annotations.zip#Sentences"}
    assert located(config, places) == {
        "a": ["downloads/multi30k", "/mine"],
        "b": "downloads/flickr30k_entities/annotations/Sentences",
    }
    assert manifests(config, places) == [
        "results/downloads/multi30k.json",
        "results/unpacked/flickr30k_entities/annotations.zip.json",
    ]
    with pytest.raises(ConfigError, match=r"no file or folder .* 'multi30'\. Did you mean one of \['multi30k'"):
        located(config, "source:multi30")
    with pytest.raises(ConfigError, match=r"only an archive .* has an inside"):
        manifests(config, "source:multi30k#task1")
