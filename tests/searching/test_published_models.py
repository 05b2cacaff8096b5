"""One's own pictures searched with published models: what is kept of a picture is what the reranker reads."""

from __future__ import annotations

from pathlib import Path

import own_pictures
import pytest
from hub_folders import write_model_folder

from reranksmart.files.vision_store import VisionStore
from reranksmart.searching import Searcher, build_index_folder


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``pictures``, ``siglip``, ``blip`` and ``index``, in which SigLIP retrieves and BLIP re-ranks."""
    folder = tmp_path_factory.mktemp("published")
    pictures = own_pictures.draw_folder(folder / "pictures")
    models = {name: write_model_folder(name, folder / name) for name in ("siglip", "blip")}
    build_index_folder(
        pictures,
        folder / "index",
        retriever=models["siglip"],
        reranker=models["blip"],
        captions=pictures / "captions.jsonl",
        max_tokens=20,
    )
    return folder


@pytest.fixture
def searcher(world: Path) -> Searcher:
    return Searcher.load(world / "index")


def test_the_index_keeps_vision_states_for_the_reranker(world: Path) -> None:
    kept = VisionStore.open(world / "index/parts/0000/regions")
    assert kept.kind == "states"
    assert len(kept) == 16


def test_a_text_finds_pictures_in_two_stages(searcher: Searcher) -> None:
    found = searcher.search("a red ellipse", k=5, top=8)
    assert [hit.log_odds is not None for hit in found.retrieved] == [True] * 5 + [False] * 3
    assert {hit.id for hit in found.retrieved[:5]} == {hit.id for hit in found.reranked[:5]}


def test_a_stored_picture_is_scored_as_the_picture_itself(world: Path, searcher: Searcher) -> None:
    picture = searcher.contents.pictures[3]
    by_text = searcher.search("a red ellipse", k=16, top=16)
    stored = next(hit.log_odds for hit in by_text.retrieved if hit.id == picture.id)
    by_picture = searcher.search(image=picture.path, k=16, top=16)
    asked = next(hit.log_odds for hit in by_picture.retrieved if hit.text == "a red ellipse")
    assert asked == pytest.approx(stored, abs=5e-3)  # float16 in the store


def test_pictures_are_added_to_such_an_index(tmp_path: Path, world: Path) -> None:
    build_index_folder(world / "pictures", tmp_path / "index", retriever=world / "blip", max_tokens=20)
    searcher = Searcher.load(tmp_path / "index")
    new = own_pictures.draw(tmp_path / "new.png", "pink", "ellipse")
    assert len(searcher.add([new]).ids) == 1
    again = Searcher.load(tmp_path / "index")
    assert len(again) == 17
    assert again.models.retriever is again.models.reranker
    assert {hit.picture for hit in again.search("a red ellipse", k=17, top=17).reranked} >= {new.resolve()}


def test_such_pictures_have_no_regions_to_show(searcher: Searcher) -> None:
    assert searcher.regions_of(searcher.contents.pictures[0].id) is None
