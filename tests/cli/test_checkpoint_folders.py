"""A folder that is no checkpoint is told what it is and which folder would do, before anything of it is loaded."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hub_folders import write_hub_folder
from typer.testing import CliRunner

from reranksmart.cli import load
from reranksmart.cli.verb import app
from reranksmart.files.library_folder import require_usable

load("convert-backbone")

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 605157884\n"


def pointer(folder: Path) -> Path:
    (folder / "model.safetensors").write_text(POINTER)
    return folder


def without_settings(folder: Path) -> Path:
    (folder / "config.json").unlink()
    return folder


def open_clip(folder: Path) -> Path:
    (folder / "open_clip_config.json").write_text("{}")
    return without_settings(folder)


def adapter(folder: Path) -> Path:
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "openai/clip"}))
    return folder


def cache_of_one(folder: Path) -> Path:
    return Path(shutil.move(folder, folder.parent / "models--openai--clip" / "snapshots" / "0a1b")).parents[1]


def whole_cache(folder: Path) -> Path:
    return cache_of_one(folder).parent


def part_of_a_library_folder(folder: Path) -> Path:
    return Path(shutil.move(folder, folder.parent / "clip-ViT" / "0_CLIPModel")).parent


def of_another_library(folder: Path) -> Path:
    (folder / "config.json").write_text(json.dumps({"architecture": "vit_base", "num_classes": 0}))
    return folder


def weights_file(folder: Path) -> Path:
    return folder / "model.safetensors"


CASES: dict[Callable[[Path], Path], str] = {
    pointer: r"model\.safetensors is a Git LFS pointer, .*: run git lfs pull",
    without_settings: r"checkpoint holds .*, but config\.json is missing",
    open_clip: r"open_clip's format, config\.json is missing: use the repository's files of transformers",
    adapter: r"holds an adapter alone, to be added to openai/clip: .* merge_and_unload",
    cache_of_one: r"is a hub's cache, no checkpoint itself: name .*/models--openai--clip/snapshots/0a1b\.",
    whole_cache: r"is a hub's cache, no checkpoint itself: name .*/models--openai--clip/snapshots/0a1b\.",
    part_of_a_library_folder: r"further down, no checkpoint itself: name .*/clip-ViT/0_CLIPModel\.",
    of_another_library: r"names no model_type, .* \(it has architecture, num_classes\)",
    weights_file: r"model\.safetensors is a file; name the folder",
}


@pytest.mark.parametrize("arrange", CASES, ids=lambda arrange: arrange.__name__)
def test_a_folder_that_is_no_checkpoint_is_told_what_it_is(tmp_path: Path, arrange: Callable[[Path], Path]) -> None:
    source = arrange(write_hub_folder("clip", tmp_path / "checkpoint"))
    settings = json.dumps({"family": "clip", "checkpoint": str(source), "local_files_only": True})
    done = CliRunner().invoke(app, ["convert-backbone", "--settings", settings, "--output", str(tmp_path / "out")])
    assert isinstance(done.exception, ValueError)
    assert re.search(CASES[arrange], str(done.exception)), done.exception
    if source.is_dir() and arrange is not of_another_library:
        with pytest.raises(ValueError, match=CASES[arrange].replace(r"config\.json is", r".*config\.json is")):
            require_usable(source, opened_as="retriever", trust_remote_code=False)
