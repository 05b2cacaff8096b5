"""What a change makes again, and what it leaves: Snakemake plans after a run whose verbs only touch their outputs."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml
from running import TINY, snakemake

_VERB = """#!/bin/bash
verb=$1
while [ $# -gt 0 ]; do
    case "$1" in
        --output | --folder) outputs+=("$2") ;;
        --recipe) recipe=$2 ;;
        --record) record=$2 ;;
    esac
    shift
done
[ "$verb" != "$FAILING" ] || eval "$HOW"
[ "$verb" != tabulate ] || outputs=("${record%.provenance.json}".{csv,md,tex,compact.tex,json})
for path in "${outputs[@]}"; do
    case "$path" in
        *.json | *.jsonl | *.npz | results/tables/*) mkdir -p "${path%/*}" && echo "$RANDOM" > "$path" ;;
        *) mkdir -p "$path" && echo "$RANDOM" > "$path/made" ;;
    esac
done
echo "{\\"recipe\\": \\"$recipe\\"}" > "${record:-${outputs[0]}/provenance.json}"
"""
MODEL = "results/models/oscar/scenes/bi_encoder/seed1/model"
TABLE = "results/tables/table3_latency.csv"


class Run:
    """A folder with one configuration that is run, changed, and planned."""

    def __init__(self, folder: Path, programs: Path, target: str, config: str, **overlay: object) -> None:
        self.folder, self.programs, self.target, self.config = folder, programs, target, config
        self.overlay: dict[str, object] = overlay

    def make(self) -> None:
        done = self.snakemake({})
        assert done.returncode == 0, done.stdout

    def made_again(self, *options: str, **changes: object) -> set[str]:
        """The rules that the changed configuration runs."""
        done = self.snakemake(changes, "--dry-run", *options)
        assert done.returncode == 0, done.stdout
        return set(re.findall(r"^(?:local)?rule (\w+):$", done.stdout, re.MULTILINE))

    def snakemake(self, changes: Mapping[str, object], *options: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "overlay.yaml").write_text(yaml.safe_dump({**self.overlay, **changes}))
        files = [self.config, "overlay.yaml"]
        return snakemake(
            self.folder, self.target, "--cores", "2", *options, "--configfile", *files, programs=self.programs
        )

    def copied(self, folder: Path) -> "Run":
        """A copy as by `cp -r`: with times of its own, and without what Snakemake remembers."""
        shutil.copytree(self.folder, folder, copy_function=shutil.copyfile, ignore=shutil.ignore_patterns(".snakemake"))
        return Run(folder, self.programs, self.target, self.config, **self.overlay)


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
    return run.copied(run.folder.with_name("copied"))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory, copy_workflow: Callable[[Path], Path], programs: Path) -> Run:
    """A table at the end of its chain, of stamps of one's own."""
    folder = copy_workflow(tmp_path_factory.mktemp("table") / "run")
    (folder / "stamps").mkdir()
    (folder / "stamps" / "stamp.png").write_text("a stamp")
    run = Run(folder, programs, TABLE, TINY, datasets={"scenes": {"stamps": "stamps"}})
    run.make()
    return run


def test_nothing_is_made_again_where_nothing_changed(default: Run) -> None:
    assert default.made_again() == set()


MORE = {"scenes": {"splits": {"more": 10}}}


def test_another_split_trains_nothing_again(default: Run) -> None:
    assert default.made_again(datasets=MORE) == set()


def test_beside_another_split_what_lacks_and_what_changed_is_still_made(default: Run) -> None:
    audited = {"prepare_split", "audit_splits"}
    assert default.made_again(datasets=MORE, objectives={"bi_encoder": {"steps": 7}}) == {*audited, "train"}
    lacking = Run(default.folder, default.programs, MODEL.replace("seed1", "seed2"), default.config)
    assert lacking.made_again(datasets=MORE) == {*audited, "train"}


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


@pytest.mark.parametrize("how", ["exit 1", "kill -9 $$"])
def test_a_change_whose_first_job_fails_is_not_lost(
    how: str, table: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = table.copied(tmp_path / "run")
    changes = {"objectives": {"joint": {"learning_rate": 0.01}}}
    asked = run.made_again(**changes)
    assert asked == {"train", "measure_latency", "tabulate"}
    monkeypatch.setenv("FAILING", "train")
    monkeypatch.setenv("HOW", how)
    assert run.snakemake(changes, "--retries", "0").returncode != 0
    monkeypatch.delenv("FAILING")
    assert run.made_again(**changes) == asked


def test_a_lost_memory_of_snakemake_other_times_and_a_link_make_nothing_again(table: Run, tmp_path: Path) -> None:
    assert table.made_again() == set()
    run = table.copied(tmp_path / "run")
    (run.folder / "results").rename(tmp_path / "elsewhere")
    (run.folder / "results").symlink_to(tmp_path / "elsewhere")
    assert run.made_again() == set()


def test_new_measurements_are_shown(table: Run, tmp_path: Path) -> None:
    run = table.copied(tmp_path / "run")
    assert run.made_again("--forcerun", "measure_latency") == {"measure_latency", "tabulate"}
    shutil.rmtree(run.folder / "results/latency")
    assert run.made_again() == {"measure_latency", "tabulate"}


def test_deleted_intermediates_are_made_again_for_what_reads_them_and_no_model_for_them(
    table: Run, tmp_path: Path
) -> None:
    run = table.copied(tmp_path / "run")
    for deleted in ("data", "regions", "embeddings", "stamps"):
        shutil.rmtree(run.folder / "results" / deleted, ignore_errors=True)
    assert run.made_again() == set()
    shutil.rmtree(run.folder / "results/latency")
    needed = {"fetch_stamps", "prepare_split", "extract_regions", "merge_regions"}
    assert run.made_again() == {*needed, "measure_latency", "tabulate"}
    changed = run.made_again(objectives={"joint": {"learning_rate": 0.01}})
    assert {*needed, "train", "tabulate"} <= changed
    assert "pretrain" not in changed


def test_files_of_one_s_own_count_by_their_content(table: Run, tmp_path: Path) -> None:
    run = table.copied(tmp_path / "run")
    elsewhere = {"scenes": {"stamps": "elsewhere"}}
    (run.folder / "stamps").rename(run.folder / "elsewhere")
    assert run.made_again(datasets=elsewhere) == set()
    stamp = run.folder / "elsewhere" / "stamp.png"
    stamp.write_text("another")
    os.utime(stamp, (1, 1))
    assert {"fetch_stamps", "prepare_split", "train", "tabulate"} <= run.made_again(datasets=elsewhere)


def test_a_path_that_is_not_there_is_refused_before_anything_is_removed(table: Run, tmp_path: Path) -> None:
    run = table.copied(tmp_path / "run")
    done = run.snakemake({"datasets": {"scenes": {"stamps": "/nowhere"}}})
    assert done.returncode != 0
    assert "datasets.scenes.stamps: '/nowhere' is not there" in done.stdout
    assert run.made_again() == set()


def test_changed_captions_of_one_s_own_are_read_again(
    tmp_path: Path, copy_workflow: Callable[[Path], Path], programs: Path
) -> None:
    folder = copy_workflow(tmp_path / "run")
    (folder / "pictures").mkdir()
    (folder / "pictures" / "dog.jpg").write_bytes(b"a dog")
    captions = folder / "test.jsonl"
    captions.write_text(json.dumps({"text": "a dog", "image": "dog.jpg"}))
    splits = {"test": {"captions": "test.jsonl", "images": "pictures"}}
    mine = {"mine": {"kind": "files", "splits": splits}}
    run = Run(folder, programs, "results/data/mine/test", "config.yaml", datasets=mine)
    run.make()
    captions.write_text(json.dumps({"text": "a cat", "image": "dog.jpg"}))
    os.utime(captions, (1, 1))  # an older file that takes its place
    assert run.made_again() == {"prepare_split"}
