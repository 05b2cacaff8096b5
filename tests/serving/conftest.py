"""An index with captions that try to run a script, and a client of the application over it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import own_pictures
import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from reranksmart.searching import Searcher, build_index_folder
from reranksmart.serving.app import create_app
from reranksmart.serving.guards import guarded
from reranksmart.serving.listening import listening

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


Served = Callable[[ASGIApp], AbstractContextManager[int]]


@pytest.fixture(scope="session")
def served() -> Served:
    """Has the real server answer by an application, as long as a block runs, at the port that it gives."""

    @contextmanager
    def serve(application: ASGIApp) -> Iterator[int]:
        with listening("127.0.0.1", 0) as listener:
            server = guarded(application)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                yield listener.getsockname()[1]
            finally:
                server.should_exit = True
                thread.join()

    return serve
