"""Where faiss sees a GPU the pipeline asks it: a faiss is faked that has one, whose copies count what they are asked."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import faiss
import numpy as np
import pytest
from toy import model, training_data
from typer.testing import CliRunner

from reranksmart.cli import load
from reranksmart.cli.verb import app
from reranksmart.files.storage import read_ranking, write_captions, write_embeddings
from reranksmart.ranking import gpu_index
from reranksmart.ranking.gpu_index import GpuIndex, to_device
from reranksmart.ranking.search import build_index, retrieve
from reranksmart.training.hard_negatives import mine
from reranksmart.training.selection import bi_encoder_mean_recall
from reranksmart.values.records import Captions, Embeddings

load("index", "retrieve")


def unit(count: int, *, seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).standard_normal((count, 16)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def embeddings(name: str, count: int, *, seed: int = 0) -> Embeddings:
    return Embeddings(tuple(f"d/{number}{name}" for number in range(count)), unit(count, seed=seed))


class Copy:
    """An index of the CPU as the copy on a card."""

    def __init__(self, index: faiss.Index, asked: Counter[str]) -> None:
        self.index, self.asked = faiss.clone_index(index), asked

    def search(self, queries: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
        assert depth <= 2048, "a card finds no more"
        self.asked["search"] += len(queries)
        return self.index.search(queries, depth)

    def add(self, vectors: np.ndarray) -> None:
        self.asked["add"] += len(vectors)
        self.index.add(vectors)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """What a GPU was asked."""
    asked: Counter[str] = Counter()
    faked = {
        "StandardGpuResources": SimpleNamespace,
        "get_num_gpus": lambda: 1,
        "index_cpu_to_gpu": lambda resources, device, index: Copy(index, asked),
        "index_gpu_to_cpu": lambda copy: copy.index,
    }
    for name, function in faked.items():
        monkeypatch.setattr(faiss, name, function, raising=False)
    gpu_index._resources.cache_clear()
    yield asked
    gpu_index._resources.cache_clear()


def test_without_a_gpu_an_index_stays_as_it_is() -> None:
    index = build_index(unit(20))
    assert to_device(index) is index


@pytest.mark.parametrize(
    ("factory", "there"),
    [("Flat", True), ("IVF4,Flat", True), ("IVF4,SQ8", True), ("IVF4,PQ4", True), ("HNSW8", False), ("RaBitQ", False)],
)
def test_kinds_that_faiss_has_there_go_to_the_gpu_with_the_same_ranking(
    card: Counter[str], factory: str, there: bool
) -> None:
    queries, gallery = embeddings("#0", 30, seed=1), embeddings("", 400)
    index = build_index(gallery.vectors, factory=factory)
    placed = to_device(index)
    assert isinstance(placed, GpuIndex) == there
    found, expected = (retrieve(queries, gallery.ids, one, depth=5) for one in (placed, index))
    np.testing.assert_array_equal(found.items, expected.items)
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert card["search"] == (30 if there else 0)
    assert card["add"] == (400 if there and factory != "Flat" else 0)


def test_more_neighbours_than_a_gpu_finds_are_found_all_the_same(card: Counter[str]) -> None:
    queries, gallery = embeddings("#0", 2, seed=1), embeddings("", 2500)
    found = retrieve(queries, gallery.ids, to_device(build_index(gallery.vectors)), depth=2400)
    assert sorted(found.items[0].tolist()) == sorted(set(found.items[0].tolist()))
    assert card["search"] == 0


def test_an_index_that_does_not_fit_stays_on_the_cpu_and_that_is_said(
    card: Counter[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(faiss, "index_cpu_to_gpu", full)
    index = build_index(unit(20))
    assert to_device(index) is index
    assert "warning: 20 vectors are searched on the CPU: out of memory" in capsys.readouterr().err


def test_mining_and_selection_ask_the_gpu(card: Counter[str]) -> None:
    data, network = training_data(12), model(seed=1).eval()
    mined = mine(network, data, depth=4)
    assert card["search"] == 24 + 12
    assert 0 <= bi_encoder_mean_recall(network, data) <= 100
    assert card["search"] >= 2 * (24 + 12)  # where the last place is tied, more are looked at
    assert mined.images_of_caption.shape == (24, 4)


def test_the_workflow_s_index_and_retrieval_ask_the_gpu(card: Counter[str], tmp_path: Path) -> None:
    images, captions = embeddings("", 80), embeddings("#0", 80, seed=1)
    (tmp_path / "data").mkdir()
    texts = Captions(captions.ids, ("a",) * 80, images.ids, ("en",) * 80)
    write_captions(tmp_path / "data" / "captions.jsonl", texts)
    write_embeddings(tmp_path / "images.npz", images)
    write_embeddings(tmp_path / "captions.npz", captions)
    shared = ["--embeddings", tmp_path, "--data", tmp_path / "data", "--gallery", "d.x", "--backbone-settings", "{}"]
    calls = [
        ["index", *shared, "--factory", "IVF2,Flat", "--output", tmp_path / "index"],
        ["retrieve", *shared, "--index", tmp_path / "index", "--depth", "5", "--output", tmp_path / "found"],
    ]
    for call in calls:
        done = CliRunner().invoke(app, list(map(str, call)))
        assert done.exception is None, done.exception
    assert card == {"add": 160, "search": 160}
    assert len(read_ranking(tmp_path / "found" / "en.text-to-image.npz")) == 80
