"""A copy of the workflow in a folder of its own, in which the real Snakemake runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from running import ROOT, TINY, snakemake


@pytest.fixture(scope="session")
def copy_workflow() -> Callable[[Path], Path]:
    """Copies the workflow, without results, into a new folder."""

    def copy(folder: Path) -> Path:
        folder.mkdir(parents=True)
        for name in ("Snakefile", "config.yaml"):
            shutil.copy(ROOT / name, folder)
        for name in ("workflow", "profiles", "envs"):
            shutil.copytree(ROOT / name, folder / name)
        return folder

    return copy


@pytest.fixture(scope="session")
def finished(
    tmp_path_factory: pytest.TempPathFactory, copy_workflow: Callable[[Path], Path], stamps_folder: Path
) -> Path:
    """A folder in which the whole tiny configuration was run."""
    folder = copy_workflow(tmp_path_factory.mktemp("tiny") / "run")
    tiny = folder / TINY
    tiny.write_text(tiny.read_text().replace("stamps: null", f"stamps: {stamps_folder}"))
    done = snakemake(folder, "--cores", "2", "--configfile", TINY)
    assert done.returncode == 0, done.stdout[-5000:]
    return folder
