"""A copy of the workflow in a folder of its own, in which the real Snakemake runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import interruptions
import pytest
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
def finished(fresh: Path, verbs: Path) -> Path:
    """A folder in which the whole tiny configuration was run."""
    folder = shutil.copytree(fresh, fresh.with_name("finished"))
    interruptions.finish(folder, interruptions.command([]), verbs=verbs)
    return folder


@pytest.fixture(scope="session")
def verbs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a ``reranksmart`` that begins at once."""
    with forked_verbs(tmp_path_factory.mktemp("forked") / "bin") as folder:
        yield folder


@pytest.fixture(scope="session")
def undisturbed(fresh: Path, verbs: Path) -> Path:
    """A folder in which everything was made, temporary outputs too, and which no test touches."""
    folder = shutil.copytree(fresh, fresh.with_name("undisturbed"))
    interruptions.finish(folder, interruptions.command(interruptions.EVERYTHING, "--notemp"), verbs=verbs)
    return folder
