"""A copy of the workflow in a folder of its own, in which the real Snakemake runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import interruptions
import pytest
from filelock import FileLock
from forked_verbs import forked_verbs
from running import ROOT, TINY


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
def fresh(tmp_path_factory: pytest.TempPathFactory, copy_workflow: Callable[[Path], Path], stamps_folder: Path) -> Path:
    """A folder in which nothing was run yet."""
    folder = copy_workflow(tmp_path_factory.mktemp("tiny") / "fresh")
    tiny = folder / TINY
    tiny.write_text(tiny.read_text().replace("stamps: null", f"stamps: {stamps_folder}"))
    return folder


@pytest.fixture(scope="session")
def verbs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a ``reranksmart`` that begins at once."""
    with forked_verbs(tmp_path_factory.mktemp("forked") / "bin") as folder:
        yield folder


@pytest.fixture(scope="session")
def undisturbed(shared_folder: Path, fresh: Path, verbs: Path) -> Path:
    """A folder in which everything was made, temporary outputs too, and which no test of any process touches."""
    folder = shared_folder / "tiny"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            run = shutil.copytree(fresh, fresh.with_name("run"))
            interruptions.finish(run, interruptions.command(interruptions.EVERYTHING, "--notemp"), verbs=verbs)
            run.rename(folder)
    return folder


@pytest.fixture(scope="session")
def finished(undisturbed: Path, fresh: Path) -> Path:
    """A folder of this process in which the whole tiny configuration was run."""
    folder = shutil.copytree(undisturbed, fresh.with_name("finished"), symlinks=True)
    for job in interruptions.planned(folder):
        for path in job.outputs if job.temporary else ():
            shutil.rmtree(folder / path)
    return folder
