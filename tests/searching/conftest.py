"""An index of drawn pictures, made once for the tests that only read it."""

from pathlib import Path

import own_pictures
import pytest

from reranksmart.searching import Searcher, build_index_folder


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``pictures``, ``retriever``, ``reranker`` and ``index``."""
    folder = tmp_path_factory.mktemp("world")
    pictures = own_pictures.draw_folder(folder / "pictures")
    own_pictures.save_untrained(folder / "retriever", seed=1)
    own_pictures.save_untrained(folder / "reranker", seed=2)
    build_index_folder(
        pictures,
        folder / "index",
        retriever=folder / "retriever",
        reranker=folder / "reranker",
        captions=pictures / "captions.jsonl",
    )
    return folder


@pytest.fixture(scope="session")
def searcher(world: Path) -> Searcher:
    return Searcher.load(world / "index")
