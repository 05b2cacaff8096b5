"""Several processes that share a training compute what one computes."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("two_processes.py")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """One training alone, and those shared by two processes that torchrun started."""
    found = {"alone 0": runpy.run_path(str(SCRIPT))["trained"](tmp_path_factory.mktemp("alone"))}
    folder = tmp_path_factory.mktemp("shared")
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    path = os.pathsep.join([str(SCRIPT.parent.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, *launch, str(SCRIPT), str(folder)],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    for path in folder.glob("[01].json"):
        found |= {f"{kind} {path.stem}": run for kind, run in json.loads(path.read_text()).items()}
    return found


def test_two_processes_were_two(runs: dict[str, dict]) -> None:
    shared = {f"{kind} {rank}": 2 for kind in ("shared", "whole", "resumed") for rank in (0, 1)}
    assert {name: run["processes"] for name, run in runs.items()} == {"alone 0": 1, **shared}


def test_losses_and_recall_are_those_of_one_process_with_the_same_batch(runs: dict[str, dict]) -> None:
    alone = _numbers(runs["alone 0"])
    assert {"10 bi_encoder loss", "10 cross_encoder loss"} <= set(alone)
    for rank in (0, 1):
        assert _numbers(runs[f"shared {rank}"]) == pytest.approx(alone, rel=1e-4)


def test_weights_are_those_of_one_process_and_equal_in_both(runs: dict[str, dict]) -> None:
    assert runs["shared 0"]["weights"] == runs["shared 1"]["weights"]
    for name, value in runs["alone 0"]["weights"].items():
        assert runs["shared 0"]["weights"][name] == pytest.approx(value, rel=1e-4), name


def test_what_is_cut_off_in_one_of_them_goes_on_in_both_as_if_it_had_not_been(runs: dict[str, dict]) -> None:
    """Though the first waits for the job of before, which writes the state meanwhile: the other reads it no earlier."""
    for rank in (0, 1):
        for what in ("history", "weights"):
            assert runs[f"resumed {rank}"][what] == runs[f"whole {rank}"][what]


def _numbers(run: dict) -> dict[str, float]:
    """Losses and recalls of a history by what they are."""
    return {
        f"{row['step']} {row.get('task', '')} {key}": value
        for row in run["history"]
        for key, value in row.items()
        if isinstance(value, float)
    }
