"""Which code a run is of: that of its folder, whatever PATH, PYTHONPATH and .venv say."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from running import ROOT, TINY, snakemake

from reranksmart.run.programs import shell_prefix

OWN = Path(sys.executable).parent


def test_another_folder_s_code_is_refused(tmp_path: Path, copy_workflow: Callable[[Path], Path]) -> None:
    folder = copy_workflow(tmp_path / "clone")
    shutil.copytree(ROOT / "src" / "reranksmart", folder / "src" / "reranksmart")
    done = snakemake(folder, "--dry-run", "--cores", "1")
    assert done.returncode != 0
    assert f"The code in {ROOT / 'src' / 'reranksmart'} would run, not that of this folder" in done.stdout


@pytest.mark.parametrize("option", ["--unlock", "--rulegraph"])
def test_what_runs_no_job_needs_no_cores(option: str, tmp_path: Path, copy_workflow: Callable[[Path], Path]) -> None:
    target = [] if option == "--unlock" else ["results/latency"]
    done = snakemake(copy_workflow(tmp_path / "run"), *target, option, "--configfile", TINY)
    assert done.returncode == 0, done.stdout


def _found(monkeypatch: pytest.MonkeyPatch, path: str) -> str:
    """The program that a job finds."""
    monkeypatch.setenv("PATH", path)
    command = ["bash", "-c", shell_prefix().replace("{{", "{").replace("}}", "}") + "command -v reranksmart"]
    return subprocess.run(command, text=True, capture_output=True, check=True).stdout.strip()


def test_a_job_finds_its_verb_in_an_environment_that_is_not_activated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _found(monkeypatch, "/usr/bin:/bin") == str(OWN / "reranksmart")


def test_another_environment_s_program_comes_after_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("reranksmart", "python"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    assert _found(monkeypatch, f"{tmp_path}:/usr/bin:/bin") == str(OWN / "reranksmart")
