"""Indexes: made in one call, added to without being made again, refused where models and pictures do not fit."""

import json
import os
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import own_pictures
import pytest

from reranksmart.datasets.prepared.layout import picture_path
from reranksmart.files.storage import read_captions, read_jsonl, write_embeddings
from reranksmart.inputs.images import open_store
from reranksmart.searching import Searcher, build_index_folder
from reranksmart.searching.building import gather_index_folder
from reranksmart.searching.folder import NO_CAPTIONS
from reranksmart.searching.refreshing import drop_deleted
from reranksmart.values.records import Embeddings


def digest_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


@pytest.fixture
def index(world: Path, tmp_path: Path) -> Path:
    """A copy of the index that a test may change; without captions."""
    target = tmp_path / "index"
    build_index_folder(world / "pictures" / "ellipses", target, retriever=world / "retriever")
    return target


def test_added_pictures_are_found_as_if_they_had_been_there_from_the_start(world: Path, tmp_path: Path) -> None:
    early, all_ = tmp_path / "early", tmp_path / "all"
    for name in ("black.png", "gold.png", "red.png"):
        (all_ / "pictures").mkdir(parents=True, exist_ok=True)
        (early / "pictures").mkdir(parents=True, exist_ok=True)
        shutil.copy(world / "pictures" / name, all_ / "pictures" / name)
    shutil.copy(world / "pictures" / "black.png", early / "pictures" / "black.png")
    for folder in (early, all_):
        build_index_folder(folder / "pictures", folder / "index", retriever=world / "retriever")
    before = digest_of(early / "index")
    searcher = Searcher.load(early / "index")
    added = searcher.add([all_ / "pictures" / "gold.png", all_ / "pictures" / "red.png"])
    assert added.ids == ("pictures/gold.png", "pictures/red.png")
    after = digest_of(early / "index")
    assert {name: after[name] for name in before} == before
    assert {name.split("/")[1] for name in set(after) - set(before)} == {"0001"}
    expected = Searcher.load(all_ / "index").search("a red rectangle").reranked
    for grown in (searcher, Searcher.load(early / "index")):
        found = grown.search("a red rectangle").reranked
        assert [hit.id for hit in found] == [hit.id for hit in expected]
        assert [hit.log_odds for hit in found] == pytest.approx([hit.log_odds for hit in expected], abs=1e-4)


def test_the_example_in_python_runs_as_it_stands(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = Path("README.md").read_text().split("```python\n")[1].split("```")[0]
    shutil.copytree(world / "retriever", tmp_path / "joint/seed1/model")
    shutil.copytree(world / "pictures", tmp_path / "pictures")
    own_pictures.draw(tmp_path / "new/one.jpg", "pink", "ellipse")
    own_pictures.draw(tmp_path / "query.jpg", "cyan", "ellipse")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(example, "README.md", "exec"), names)
    assert len(names["results"].reranked) == 10
    assert len(names["searcher"]) == 16


def test_doubles_and_broken_pictures_are_told_and_not_added(index: Path, tmp_path: Path) -> None:
    searcher = Searcher.load(index)
    own_pictures.draw(tmp_path / "a" / "red.jpg", "red", "rectangle")  # same name, another picture
    double = shutil.copy(searcher.contents.pictures[0].path, tmp_path / "double.jpg")
    (tmp_path / "torn.png").write_bytes(b"\x89PNG torn")
    added = searcher.add([tmp_path / "a" / "red.jpg", Path(double), tmp_path / "torn.png"])
    assert (len(added.ids), added.known, [one.path.name for one in added.broken]) == (1, (Path(double),), ["torn.png"])
    assert len(searcher) == len(own_pictures.COLOURS) + 1
    assert searcher.add([Path(double)]).ids == ()
    assert len(list((index / "parts").iterdir())) == 2


def test_what_another_process_added_is_kept(index: Path, world: Path) -> None:
    one, other = Searcher.load(index), Searcher.load(index)
    one.add([world / "pictures" / "gold.png"])
    other.add([world / "pictures" / "red.png"])
    assert len(other) == len(Searcher.load(index)) == len(own_pictures.COLOURS) + 2


def test_a_refresh_that_is_killed_while_it_drops_a_part_leaves_an_index(
    index: Path, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Searcher.load(index).add([Path(shutil.copy(world / "pictures" / "gold.png", tmp_path))])
    (tmp_path / "gold.png").unlink()

    def cut_off(folder: Path, **_: object) -> None:
        min(path for path in folder.rglob("*") if path.is_file()).unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", cut_off)
    with pytest.raises(KeyboardInterrupt):
        drop_deleted(index)
    monkeypatch.undo()
    assert len(Searcher.load(index)) == len(own_pictures.COLOURS)


def test_without_captions_a_picture_finds_pictures_like_it(index: Path, world: Path) -> None:
    searcher = Searcher.load(index)
    assert not searcher.has_captions
    found = searcher.search(image=world / "pictures" / "ellipses" / "red.jpg", top=3)
    assert (found.direction, len(found.retrieved), found.reranked) == ("image-to-image", 3, ())
    assert found.retrieved[0].picture.name == "red.jpg"


def test_a_relative_picture_moves_with_its_index(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(world / "pictures" / "ellipses", tmp_path / "here" / "mine")
    monkeypatch.chdir(tmp_path / "here")
    build_index_folder(Path("mine"), Path("found/index"), retriever=world / "retriever")
    os.rename(tmp_path / "here", tmp_path / "there")
    moved = Searcher.load(tmp_path / "there" / "found" / "index")
    assert all(picture.path.is_file() for picture in moved.contents.pictures)


def test_a_model_is_refused_the_role_that_it_never_learned(world: Path, tmp_path: Path) -> None:
    model = shutil.copytree(world / "retriever", tmp_path / "model")
    settings = json.dumps({"bi_encoder": {"loss": "infonce"}, "cross_encoder": None})
    (model / "provenance.json").write_text(json.dumps({"verb": "train", "settings": settings}))
    with pytest.raises(ValueError, match="never learned to be a reranker"):
        build_index_folder(world / "pictures" / "ellipses", tmp_path / "index", retriever=model)
    assert not (tmp_path / "index").exists()


def test_an_index_takes_the_place_of_an_index_and_of_nothing_else(world: Path, tmp_path: Path) -> None:
    pictures = Path(shutil.copytree(world / "pictures" / "ellipses", tmp_path / "pictures"))
    for output in (pictures, tmp_path, pictures / "red.jpg"):
        with pytest.raises(ValueError, match=r"exists and is no index; making one there would delete it"):
            build_index_folder(pictures, output, retriever=world / "retriever")
    assert len(list(pictures.iterdir())) == len(own_pictures.COLOURS)
    for _ in range(2):
        build_index_folder(pictures, tmp_path / "index", retriever=world / "retriever")
    inside = Path(shutil.copytree(pictures, tmp_path / "index" / "pictures"))
    with pytest.raises(ValueError, match="making it again would delete them"):
        build_index_folder(inside, tmp_path / "index", retriever=world / "retriever")


def test_vectors_of_another_model_are_refused_before_an_index_is_made_of_them(world: Path, tmp_path: Path) -> None:
    seen, data = world / "index/parts/0000/regions", tmp_path / "data"
    ids = open_store(seen).image_ids
    for image_id in ids:
        picture_path(data, image_id).parent.mkdir(parents=True, exist_ok=True)
        picture_path(data, image_id).touch()
    write_embeddings(tmp_path / "images.npz", Embeddings(ids, np.eye(len(ids), dtype=np.float32)))
    with pytest.raises(ValueError, match=r"retriever .* makes vectors of 32 values, those in .* have 16"):
        gather_index_folder(
            tmp_path / "index",
            **{"name": "pictures", "data": [data], "seen": [seen], "embeddings": [tmp_path], "captions": NO_CAPTIONS},
            retriever=world / "retriever",
        )
    assert not (tmp_path / "index").exists()


def test_a_folder_without_a_model_is_named(world: Path, tmp_path: Path) -> None:
    for wrong in (tmp_path / "nowhere", world / "pictures"):
        with pytest.raises(FileNotFoundError, match=rf"{wrong} is no folder of a model"):
            build_index_folder(world / "pictures", tmp_path / "index", retriever=wrong)


def test_a_text_is_cut_where_the_model_s_positions_end(world: Path, tmp_path: Path) -> None:
    pictures = world / "pictures" / "ellipses"
    build_index_folder(pictures, tmp_path / "index", retriever=world / "retriever", max_tokens=500)
    searcher = Searcher.load(tmp_path / "index")
    assert len(searcher.search("a red rectangle " * 100).reranked) == len(own_pictures.COLOURS)


def test_a_model_without_positions_for_a_text_beside_the_regions_is_named(world: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="beside 90 regions and 0 tags no text fits"):
        build_index_folder(world / "pictures", tmp_path / "index", retriever=world / "retriever", max_regions=90)


def test_what_is_no_index_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is no index"):
        Searcher.load(tmp_path)
    (tmp_path / "index.json").write_text('{"format": 99}')
    with pytest.raises(ValueError, match="format 99"):
        Searcher.load(tmp_path)


def test_captions_of_copies_go_to_the_picture_kept_and_those_of_no_picture_are_named(
    world: Path, tmp_path: Path
) -> None:
    own_pictures.draw(tmp_path / "mine/a.jpg", "red", "ellipse")
    own_pictures.draw(tmp_path / "mine/b.jpg", "blue", "ellipse")
    shutil.copy(tmp_path / "mine/a.jpg", tmp_path / "mine/copy.jpg")
    table = tmp_path / "captions.csv"
    table.write_text("image,text\na.jpg,a red ellipse\ncopy.jpg,something red\nimages/b.jpg,a blue ellipse\n")
    build = partial(build_index_folder, tmp_path / "mine", tmp_path / "index", retriever=world / "retriever")
    count, left_out = build(captions=table)
    assert count == 2
    assert {(Path(one.what).name, one.kind) for one in left_out} == {
        ("copy.jpg", "copies of other pictures"),
        ("captions.csv, line 4", "captions whose picture is not there"),
    }
    captions = read_captions(tmp_path / "index/parts/0000/captions.jsonl")
    assert captions.image_ids == ("mine/a.jpg", "mine/a.jpg")
    assert len(read_jsonl(tmp_path / "index/skipped.jsonl")) == 2
    with pytest.raises(ValueError, match="'Flatt' is not an index that faiss can make"):
        build(factory="Flatt")
