"""Values change in a finished folder, jobs fail by accident, the same command is given again: the tables of a clean run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import interruptions
import pytest
import yaml
from running import TINY, snakemake

from reranksmart.run.failures import read_failures

pytestmark = pytest.mark.workflow

_MADE_OF_ALL_IT_IS_GIVEN = """#!/usr/bin/python3 -ISE
import hashlib, json, pathlib, re, sys
verb, *words = sys.argv[1:]
given, outputs, options = [verb], [], {}
while words:
    word = words.pop(0)
    if word in ("--output", "--folder", "--page", "--summary", "--deviations"):
        outputs.append(pathlib.Path(words.pop(0)))
    elif word in ("--recipe", "--record", "--recipes", "--threads"):
        options[word] = words.pop(0)
    else:
        given.append(word)
        for path in sorted(map(pathlib.Path, set(re.findall(r"[\\w.+-]+/[\\w./+-]+|stamps", word)))):
            files = sorted(path.rglob("*")) if path.is_dir() else [path]
            given += [file.read_text() for file in files if file.is_file() and file.name != "provenance.json"]
record = options.get("--record")
if verb in ("tabulate", "plot"):
    stem = record.removesuffix(".provenance.json")
    suffixes = {"tabulate": (".csv", ".md", ".tex", ".compact.tex", ".json"), "plot": (".svg", ".pdf", ".png", ".txt")}
    outputs = [pathlib.Path(stem + suffix) for suffix in suffixes[verb]]
made = hashlib.sha256("\\0".join(given).encode()).hexdigest()
for path in outputs:
    file = path if path.suffix in (".json", ".jsonl", ".npz", ".csv", ".html", ".txt", ".md", ".tex", ".svg", ".pdf", ".png") else path / "made"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(made)
pathlib.Path(record or outputs[0] / "provenance.json").write_text(json.dumps({"recipe": options["--recipe"]}))
"""
_ACCIDENTS = """#!/bin/bash
[ -e "$MET/$1" ] || cp "$MET/run" "$MET/$1"
if [[ $1 == $FAILING ]] && cmp -s "$MET/run" "$MET/$1"; then
    case $(($(ls "$MET" | wc -l) % 3)) in
        0) exit 1 ;;
        1) kill -9 $$ ;;
        2) exec "$MET/a-program-that-is-not-there" ;;
    esac
fi
exec {program} "$@"
"""
CHANGES = (
    ("train", {"objectives": {"joint": {"learning_rate": 0.01}}}),
    ("extract-regions", {"regions": {"maximum": 9}}),
    ("tabulate", {"systems": {"joint_coop": {"label": "Cooperation"}}}),
)
"""A verb that a changed value reaches first, and the value, one after the other at different depths of the workflow."""


def accident_prone(folder: Path, program: Path) -> Path:
    """A folder with a ``reranksmart`` whose verbs like FAILING fail in the run that is the first to come to them.

    Otherwise it is ``program``. In the folder MET lies the number of the run, and that in which each verb came first.
    """
    folder.mkdir()
    (folder / "reranksmart").write_text(_ACCIDENTS.format(program=program))
    (folder / "reranksmart").chmod(0o755)
    return folder


class Run:
    """A folder with a configuration over the tiny one."""

    def __init__(self, folder: Path, programs: Path, targets: Sequence[str] = ()) -> None:
        self.folder, self.programs, self.calls = folder, programs, 0
        self.command = (*targets, "--cores", "2", "--configfile", TINY, "overlay.yaml")

    def configure(self, overlay: Mapping[str, Any]) -> None:
        (self.folder / "overlay.yaml").write_text(yaml.safe_dump(dict(overlay)))

    def make(self) -> int:
        """The same command, always."""
        self.calls += 1
        Path(os.environ["MET"], "run").write_text(f"{self.folder} {self.calls}")
        done = snakemake(self.folder, *self.command, programs=self.programs)
        self.said = done.stdout
        return done.returncode

    def tables(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted((self.folder / "results" / "tables").glob("*.csv"))}


def test_after_accidents_at_three_depths_the_same_command_gives_the_tables_of_a_clean_run(
    tmp_path: Path, copy_workflow: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a program whose results are digests of all that it is given, so that nothing stale can look right."""
    (tmp_path / "made").write_text(_MADE_OF_ALL_IT_IS_GIVEN)
    (tmp_path / "made").chmod(0o755)
    (tmp_path / "met").mkdir()
    monkeypatch.setenv("MET", str(tmp_path / "met"))
    monkeypatch.setenv("FAILING", "")
    programs = accident_prone(tmp_path / "bin", tmp_path / "made")
    folder = copy_workflow(tmp_path / "run")
    (folder / "stamps").mkdir()
    (folder / "stamps" / "stamp.png").write_text("a stamp")
    clean = shutil.copytree(folder, tmp_path / "clean")
    targets = [f"results/tables/{name}.csv" for name in ("depth", "claims", "table3_latency")]
    overlay: dict[str, Any] = {"datasets": {"scenes": {"stamps": "stamps"}}}
    run = Run(folder, programs, targets)
    run.configure(overlay)
    assert run.make() == 0, run.said
    before = run.tables()
    for verb, change in (CHANGES[0], CHANGES[2]):
        overlay |= change
        run.configure(overlay)
        monkeypatch.setenv("FAILING", verb)
        (tmp_path / "met" / verb).unlink()
        assert run.make() != 0
        assert run.make() == 0, run.said
    (folder / "stamps" / "stamp.png").write_text("another stamp")
    os.utime(folder / "stamps" / "stamp.png", (1, 1))
    monkeypatch.setenv("FAILING", "fetch-stamps")
    (tmp_path / "met" / "fetch-stamps").unlink()
    assert run.make() != 0
    assert run.make() == 0, run.said
    shutil.copytree(folder / "stamps", clean / "stamps", dirs_exist_ok=True)
    undisturbed = Run(clean, programs, targets)
    undisturbed.configure(overlay)
    assert undisturbed.make() == 0, undisturbed.said
    assert run.tables() == undisturbed.tables()
    assert all(run.tables()[name] != content for name, content in before.items())


@pytest.mark.slow
def test_after_an_accident_in_every_rule_the_same_command_gives_the_tables_of_a_clean_run(
    fresh: Path, finished: Path, verbs: Path, stamps_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the real verbs, after changes that reach every rule; each fails in the run that first comes to it."""
    folder = shutil.copytree(finished, tmp_path / "run", symlinks=True)
    stamps = shutil.copytree(stamps_folder, tmp_path / "stamps")
    min(stamps.rglob("*.png")).unlink()
    overlay: dict[str, Any] = {"datasets": {"scenes": {"stamps": str(stamps)}}, "bootstrap": 40}
    overlay |= {"planned_evaluation": {"repeats": 2}}
    for _, change in CHANGES:
        overlay |= change
    (tmp_path / "met").mkdir()
    monkeypatch.setenv("MET", str(tmp_path / "met"))
    monkeypatch.setenv("FAILING", "*")
    run = Run(folder, accident_prone(tmp_path / "bin", verbs / "reranksmart"))
    run.configure(overlay)
    failed, asked = set[str](), set[str]()
    while run.make() != 0:
        failing = {failure.rule for failure in read_failures(folder / "results")}
        assert failing, run.said
        assert not failing & failed, run.said
        failed |= failing
        asked |= {job.rule for job in interruptions.planned(folder)}  # less and less, as nothing reads what is whole
    assert failed == asked

    clean = Run(shutil.copytree(fresh, tmp_path / "clean"), verbs, [f"results/tables/{name}" for name in run.tables()])
    clean.configure(overlay)
    assert clean.make() == 0, clean.said
    jobs = interruptions.planned(clean.folder)
    needed = interruptions.needs(jobs)
    timed = {Path(path).name for job in jobs if interruptions.holds_times(job, needed[job]) for path in job.outputs}
    timeless = {name: content for name, content in clean.tables().items() if name not in timed}
    assert len(timeless) > 10
    assert {name: run.tables()[name] for name in timeless} == timeless
