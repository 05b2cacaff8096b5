"""An index with captions that try to run a script, and a client of the application over it."""

import json
from collections.abc import Iterator
from pathlib import Path

import own_pictures
import pytest
from starlette.testclient import TestClient

from reranksmart.searching import Searcher, build_index_folder
from reranksmart.serving.app import create_app

SCRIPT = '<img src=x onerror="document.title=\'run\'"><script>document.title="run"</script>'


@pytest.fixture(scope="session")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    folder = tmp_path_factory.mktemp("served")
    pictures = own_pictures.draw_folder(folder / "pictures")
    with (pictures / "captions.jsonl").open("a") as captions:
        captions.write(json.dumps({"text": SCRIPT, "image": "red.png"}) + "\n")
    model = own_pictures.save_untrained(folder / "model", seed=1)
    build_index_folder(pictures, folder / "index", retriever=model, captions=pictures / "captions.jsonl")
    return Searcher.load(folder / "index")


@pytest.fixture(scope="session")
def client(searcher: Searcher) -> Iterator[TestClient]:
    with TestClient(create_app(searcher), base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def picture(searcher: Searcher) -> Path:
    """One of the pictures."""
    return searcher.contents.pictures[0].path
