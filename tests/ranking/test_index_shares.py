"""An index that several jobs fill, its lists on the disk, finds what the index of one job finds."""

from pathlib import Path

import faiss
import numpy as np
import pytest
from typer.testing import CliRunner

from reranksmart.cli import load
from reranksmart.cli.verb import app
from reranksmart.files.storage import write_captions, write_embeddings
from reranksmart.files.stored_embeddings import StoredEmbeddings
from reranksmart.ranking import index_shares, search
from reranksmart.values.factories import is_filled_in_shares, require_factory
from reranksmart.values.records import Captions, Embeddings

load("index", "train-index", "fill-index", "merge-index", "retrieve")


def embeddings(split: str, name: str, count: int, *, seed: int) -> Embeddings:
    found = np.random.default_rng(seed).standard_normal((count, 16)).astype(np.float32)
    return Embeddings(
        tuple(f"d/{split}{number}{name}" for number in range(count)), found / np.linalg.norm(found, axis=1)[:, None]
    )


@pytest.fixture
def gallery(tmp_path: Path) -> list[object]:
    """The options of a gallery of two splits, of whose captions a third is in another language."""
    options: list[object] = ["--gallery", "d.x+y", "--backbone-settings", '{"languages": ["en", "de"]}']
    for seed, (split, count) in enumerate((("x", 90), ("y", 510))):
        images, captions = (
            embeddings(split, name, count, seed=2 * seed + side) for side, name in enumerate(("", "#0"))
        )
        languages = tuple("de" if number % 3 == 0 else "en" for number in range(count))
        folder = tmp_path / split
        folder.mkdir()
        write_captions(folder / "captions.jsonl", Captions(captions.ids, ("a",) * count, images.ids, languages))
        write_embeddings(folder / "images.npz", images)
        write_embeddings(folder / "captions.npz", captions)
        options += ["--embeddings", folder, "--data", folder]
    return options


def run(verb: str, *arguments: object) -> None:
    done = CliRunner().invoke(app, [verb, *map(str, arguments)])
    if done.exception is not None:
        raise done.exception


def rankings(gallery: list[object], index: Path) -> dict[str, bytes]:
    found = index.with_name(f"{index.name}.found")
    run("retrieve", *gallery, "--index", index, "--depth", 5, "--output", found)
    return {path.name: path.read_bytes() for path in found.glob("*.npz")}


@pytest.mark.parametrize("factory", ["IVF4,Flat", "IVF4,SQ8", "IVF4,PQ4x4", "IVF4,RaBitQ"])
def test_shares_on_the_disk_give_the_rankings_of_one_job_bit_for_bit(
    gallery: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factory: str
) -> None:
    monkeypatch.setattr(index_shares, "_TOGETHER", 64)
    monkeypatch.setattr(search, "learned_from", lambda factory: 300)
    one, shares = tmp_path / "one", [tmp_path / "shards" / str(number) for number in range(4)]
    run("index", *gallery, "--factory", factory, "--output", one)
    trained = tmp_path / "shards" / "trained"
    run("train-index", *gallery, "--factory", factory, "--output", trained)
    for number, share in enumerate(shares):
        job = ["--shard", number, "--shards", 4, "--output", share]
        run("fill-index", "--trained", trained, *gallery, *job)
    run("merge-index", "--trained", trained, "--output", tmp_path / "merged", *shares)
    index = search.read_index(tmp_path / "merged" / "images.faiss")
    lists = faiss.downcast_InvertedLists(faiss.extract_index_ivf(index).invlists)
    assert isinstance(lists, faiss.OnDiskInvertedLists)
    assert index.ntotal == 600
    expected = rankings(gallery, one)
    assert len(expected) == 4
    assert rankings(gallery, tmp_path / "merged") == expected


def test_a_share_that_is_missing_is_named(gallery: list[object], tmp_path: Path) -> None:
    trained = tmp_path / "trained"
    run("train-index", *gallery, "--factory", "IVF4,Flat", "--output", trained)
    with pytest.raises(FileNotFoundError, match=r"0/de\.faiss is missing"):
        run("merge-index", "--trained", trained, "--output", tmp_path / "merged", tmp_path / "0")


def test_vectors_on_the_disk_are_those_in_memory(tmp_path: Path) -> None:
    parts = [embeddings(split, "", count, seed=count) for split, count in (("x", 7), ("y", 1), ("z", 12))]
    for part in parts:
        write_embeddings(tmp_path / f"{len(part)}.npz", part)
    ids, vectors = [id_ for part in parts for id_ in part.ids], np.concatenate([part.vectors for part in parts])
    stored = StoredEmbeddings.open([tmp_path / f"{len(part)}.npz" for part in parts])
    np.testing.assert_array_equal(stored[5:12], vectors[5:12])
    rows = np.random.default_rng(0).permutation(20)
    turned = stored.take([ids[row] for row in rows])
    np.testing.assert_array_equal(turned[np.array([3, 0])], vectors[rows[[3, 0]]])
    assert (turned.read().ids, len(turned)) == (tuple(ids[row] for row in rows), 20)
    with pytest.raises(ValueError, match=r"embedding id 'd/x0' occurs 2 times"):
        StoredEmbeddings.open([tmp_path / "7.npz", tmp_path / "7.npz"])
    write_embeddings(tmp_path / "wide.npz", Embeddings(("d/w0",), np.eye(1, 32, dtype=np.float32)))
    with pytest.raises(ValueError, match=r"differ in length: .*7\.npz of 16 values, .*wide\.npz of 32 values"):
        StoredEmbeddings.open([tmp_path / "7.npz", tmp_path / "wide.npz"])


@pytest.mark.parametrize(
    ("factory", "shared"),
    [
        *((factory, True) for factory in ("IVF4096,SQfp16", "IVF64,PQ16", "IVF64,SQ8")),
        *(
            (factory, False)
            for factory in ("IVF64,PQ16x4fs", "PCA64,IVF64,PQ16", "Flat", "HNSW32", "IVF64,RaBitQ,RFlat")
        ),
    ],
)
def test_inverted_lists_without_refinement_are_filled_in_shares(factory: str, shared: bool) -> None:
    assert is_filled_in_shares(require_factory(factory)) == shared
