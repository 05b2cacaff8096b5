"""What a change makes again, and what it leaves: Snakemake plans after a run whose verbs only touch their outputs."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from running import ROOT, snakemake

from reranksmart import plan
from reranksmart.config import validated

_VERB = """#!/bin/bash
while [ $# -gt 0 ]; do
    case "$1" in --output | --folder) outputs+=("$2") ;; esac
    shift
done
for path in "${outputs[@]}"; do
    case "$path" in
        *.json | *.jsonl | *.npz) echo "$RANDOM" > "$path" ;;
        *) mkdir -p "$path" && echo "$RANDOM" > "$path/made" ;;
    esac
done
"""
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())
MODEL = "results/models/oscar/scenes/bi_encoder/seed1/model"


class Run:
    """A folder with one configuration that is run, changed, and planned."""

    def __init__(self, folder: Path, programs: Path, target: str, config: str, **overlay: object) -> None:
        self.folder, self.programs, self.target, self.config = folder, programs, target, config
        self.overlay: dict[str, object] = overlay

    def make(self) -> None:
        done = self._snakemake(self.overlay)
        assert done.returncode == 0, done.stdout

    def made_again(self, **changes: object) -> set[str]:
        """The rules that the changed configuration runs."""
        done = self._snakemake({**self.overlay, **changes}, "--dry-run")
        assert done.returncode == 0, done.stdout
        return set(re.findall(r"^(?:local)?rule (\w+):$", done.stdout, re.MULTILINE))

    def _snakemake(self, overlay: Mapping[str, object], *options: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "overlay.yaml").write_text(yaml.safe_dump(dict(overlay)))
        files = [self.config, "overlay.yaml"]
        return snakemake(
            self.folder, self.target, "--cores", "2", *options, "--configfile", *files, programs=self.programs
        )


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bin")
    (folder / "reranksmart").write_text(_VERB)
    (folder / "reranksmart").chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory, copy_workflow: Callable[[Path], Path], programs: Path) -> Run:
    run = Run(copy_workflow(tmp_path_factory.mktemp("default") / "run"), programs, MODEL, "config.yaml")
    run.make()
    return run


def test_nothing_is_made_again_where_nothing_changed(default: Run) -> None:
    assert default.made_again() == set()


def test_another_split_is_audited_and_trains_nothing_again(default: Run) -> None:
    assert default.made_again(datasets={"scenes": {"splits": {"more": 10}}}) == {"prepare_split", "audit_splits"}


def test_checkpoints_at_other_steps_train_nothing_again(default: Run) -> None:
    assert default.made_again(objectives={"bi_encoder": {"checkpoint_every": 7}}) == set()
    assert default.made_again(objectives={"bi_encoder": {"evaluate_every": 7}}) == {"train"}


def test_another_pretraining_trains_again(default: Run) -> None:
    assert default.made_again(backbones={"oscar": {"pretraining": {"steps": 7}}}) == {"pretrain", "train"}


def test_accepted_terms_and_patience_make_nothing_again_of_what_was_fetched(
    tmp_path: Path, copy_workflow: Callable[[Path], Path], programs: Path
) -> None:
    target = "results/data/multi30k/dev"
    run = Run(copy_workflow(tmp_path / "run"), programs, target, "workflow/configs/paper.yaml")
    run.make()
    assert run.made_again(downloads={"accept": ["flickr30k"], "attempts": 9}) == set()
    assert "prepare_split" in run.made_again(downloads={"folder": "elsewhere"})


def test_changed_captions_of_one_s_own_are_read_again(
    tmp_path: Path, copy_workflow: Callable[[Path], Path], programs: Path
) -> None:
    folder = copy_workflow(tmp_path / "run")
    (folder / "pictures").mkdir()
    captions = folder / "test.jsonl"
    captions.write_text(json.dumps({"text": "a dog", "image": "dog.jpg"}))
    splits = {"test": {"captions": "test.jsonl", "images": "pictures"}}
    mine = {"mine": {"kind": "files", "splits": splits}}
    run = Run(folder, programs, "results/data/mine/test", "config.yaml", datasets=mine)
    run.make()
    captions.write_text(json.dumps({"text": "a cat", "image": "dog.jpg"}))
    later = captions.stat().st_mtime + 100
    os.utime(captions, (later, later))
    assert run.made_again() == {"prepare_split"}


def test_a_split_without_captions_is_of_its_folder_of_pictures(tmp_path: Path) -> None:
    mine = {"kind": "files", "splits": {"all": {"images": str(tmp_path)}, "none": {"images": "/nowhere"}}}
    config = validated({**DEFAULT, "datasets": {**DEFAULT["datasets"], "mine": mine}})
    read = [plan.split_inputs(config, SimpleNamespace(dataset="mine", split=name))["own"] for name in ("all", "none")]
    assert read == [[str(tmp_path)], []]
