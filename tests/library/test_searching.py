"""A folder of pictures is searched by published models in one command, and what cannot work is said before any of it."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from library_checkpoints import write_library_folder
from own_pictures import COLOURS, draw
from pydantic import TypeAdapter, ValidationError
from safetensors.torch import load_file

from reranksmart.cli.galleries import search_verb
from reranksmart.config.backbones import AnyBackbone
from reranksmart.evaluation.mteb_tasks import mteb_library
from reranksmart.files.hub import checkpoint_folder
from reranksmart.searching import Searcher
from reranksmart.searching.building import place_model


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    for colour in COLOURS[:5]:
        draw(folder / "pictures" / f"{colour}.png", colour, "ellipse")
    for kind in ("clip", "retriever", "reranker", "late_interaction"):
        write_library_folder(kind, folder / kind)
    return folder


def settings(folder: Path | str, opened_as: str, **library) -> dict:
    library = {"opened_as": opened_as, **library}
    return {"family": "sentence_transformers", "checkpoint": str(folder), "library": library}


def validate(value: dict):
    return TypeAdapter(AnyBackbone).validate_python(value)


@pytest.mark.parametrize("reranker", ["reranker", "late_interaction"])
def test_a_folder_of_pictures_is_searched_by_two_published_models(world, reranker):
    searcher = Searcher.of_pictures(world / "pictures", retriever=str(world / "clip"), reranker=str(world / reranker))
    found = searcher.search("a red ellipse", k=3, top=3)
    assert len(searcher) == 5
    assert {hit.log_odds is not None for hit in found.reranked} == {True}
    assert [hit.rank for hit in found.reranked] == [1, 2, 3]


def test_one_command_searches_and_keeps_the_index_where_it_is_told_to(world, tmp_path, capsys):
    asked = {"words": ["a red ellipse"], "k": 2, "top": 2, "as_json": True, "index": tmp_path / "index"}
    models = {"retriever": str(world / "retriever"), "reranker": str(world / "reranker")}
    search_verb(**asked, pictures=world / "pictures", **models)
    first = json.loads(capsys.readouterr().out)
    search_verb(**asked, pictures=world / "pictures", **models)
    again = json.loads(capsys.readouterr().out)
    hits = [[(hit["id"], hit["log_odds"]) for hit in answer["reranked"]] for answer in (first, again)]
    assert len(hits[0]) == 2
    assert hits[0] == hits[1]


def test_an_index_is_searched_and_grown_by_the_model_that_made_it_alone(world, tmp_path):
    asked = {"words": ["a red ellipse"], "k": 2, "top": 2, "index": tmp_path / "index", "pictures": world / "pictures"}
    search_verb(**asked, retriever=str(world / "clip"), reranker=str(world / "reranker"))
    with pytest.raises(ValueError, match=r"was made with the retriever .*clip, which reads otherwise than .*retriever"):
        search_verb(**asked, retriever=str(world / "retriever"))
    shutil.rmtree(tmp_path / "index" / "retriever")
    place_model(str(world / "retriever"), tmp_path / "index" / "retriever", "retriever")
    swapped = Searcher.load(tmp_path / "index")
    with pytest.raises(ValueError, match="queries' vectors have 64 values, those of the index 24"):
        swapped.search("a red ellipse")
    with pytest.raises(ValueError, match="vectors of 64 values cannot stand beside those of 24"):
        swapped.add([draw(tmp_path / "new.png", "pink", "ellipse")])
    assert len(Searcher.load(tmp_path / "index")) == 5


def test_a_model_given_for_a_role_that_it_does_not_have_is_named(world):
    with pytest.raises(ValueError, match="holds a CrossEncoder, which is no retriever; set opened_as to reranker"):
        Searcher.of_pictures(world / "pictures", retriever=str(world / "reranker"), reranker=str(world / "clip"))
    with pytest.raises(ValidationError, match="holds a SentenceTransformer, which is no reranker"):
        validate(settings(world / "retriever", "reranker"))
    with pytest.raises(ValidationError, match="holds a plain CLIPModel, which has no layer that scores pairs"):
        validate(settings(world / "clip", "reranker"))
    assert validate(settings(world / "reranker", "reranker")).capabilities == ("cross_encoder",)


def test_a_name_that_is_not_here_says_how_to_get_it(world, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        FileNotFoundError, match=r"nobody/nothing cannot be had.*hf download nobody/nothing --local-dir"
    ):
        Searcher.of_pictures(world / "pictures", retriever="nobody/nothing", reranker=str(world / "reranker"))


def test_a_name_that_is_not_here_says_how_large_it_is_where_that_is_known(world, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    config = (world / "retriever/config.json").read_text()
    size = f"{sum(one.nbytes for one in load_file(world / 'retriever/model.safetensors').values()) / 1e6:.0f} MB"
    index = {"metadata": {"total_size": 4_255_000_000}, "weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}
    cut_off = {"config.json": config, "model.safetensors.index.json": json.dumps(index), "1.safetensors": ""}
    for name, kept, fault, large in (
        ("who/parts", cut_off, "2.safetensors is not in the hub's cache", "4.3 GB of weights by its model.safetensors"),
        (
            "who/config-2B",
            {"config.json": config},
            "model.safetensors is not in",
            f"about {size} of weights by its config",
        ),
        ("who/named-2B", {}, "", "about 4.0 GB if its 2B weights by name have two bytes each"),
        ("who/knows", {}, "", "of a size that is not known here"),
    ):
        folder, commit = tmp_path / f"models--{name.replace('/', '--')}", "0" * 40
        files = {"refs/main": commit} | {f"snapshots/{commit}/{one}": text for one, text in kept.items()}
        for place, text in files.items() if kept else ():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_text(text)
        asked = (
            rf"{name} cannot be had .*{re.escape(fault)}.*hf download {name} --local-dir FOLDER` \({re.escape(large)}"
        )
        with pytest.raises(FileNotFoundError, match=asked):
            checkpoint_folder(name, local_files_only=True)


def edited(world: Path, target: Path, file: str, change) -> Path:
    """A copy of the retriever with one JSON file changed."""
    shutil.copytree(world / "retriever", target)
    value = json.loads((target / file).read_text())
    change(value)
    (target / file).write_text(json.dumps(value))
    return target


def test_code_of_its_own_runs_only_where_the_user_allows_it(world, tmp_path):
    own = edited(world, tmp_path / "a", "modules.json", lambda listed: listed[1].update(type="mine.Pooling"))
    with pytest.raises(ValidationError, match=r"runs code of its own \(mine.Pooling\).*set trust_remote_code to true"):
        validate(settings(own, "retriever"))
    assert validate(settings(own, "retriever", trust_remote_code=True)).library.trust_remote_code
    unknown = {"model_type": "mine", "auto_map": {"AutoModel": "modeling_mine.Mine"}}
    other = edited(world, tmp_path / "b", "config.json", lambda config: config.update(unknown))
    with pytest.raises(ValidationError, match=r"runs code of its own \(modeling_mine.Mine\)"):
        validate(settings(other, "retriever"))


def test_a_model_of_texts_alone_is_refused(world, tmp_path):
    folder = edited(world, tmp_path / "a", "processor_config.json", lambda config: config.pop("image_processor"))
    (folder / "preprocessor_config.json").unlink(missing_ok=True)
    with pytest.raises(ValidationError, match="reads texts alone: it has no image processor"):
        validate(settings(folder, "retriever"))


def test_a_tokeniser_of_other_weights_is_refused(world, tmp_path):
    def shrink(config: dict) -> None:
        config["text_config"]["vocab_size"] = 50

    with pytest.raises(ValidationError, match=r"gives ids up to .*, but the weights have 50 entries"):
        validate(settings(edited(world, tmp_path / "a", "config.json", shrink), "retriever"))
    moved = edited(world, tmp_path / "b", "config.json", lambda config: config.update(image_token_id=30))
    with pytest.raises(ValidationError, match="the weights read token 30 as a picture"):
        validate(settings(moved, "retriever"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"library": None}, r"needs library.opened_as"),
        ({"family": "clip"}, "library belongs to family sentence_transformers; leave it out of clip"),
        ({"checkpoint": "/tmp"}, "modules.json or config.json is missing"),
    ],
)
def test_settings_that_do_not_belong_together_are_refused(world, change, said):
    with pytest.raises(ValidationError, match=said):
        validate({**settings(world / "retriever", "retriever"), **change})


def test_without_mteb_its_installation_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mteb", None)
    with pytest.raises(ValueError, match=r"needs the library mteb .*pip install 'reranksmart\[mteb\]'"):
        mteb_library()
