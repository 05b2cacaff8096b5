"""One set of pins: the lock, the rules' environment file and what is installed agree."""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
LOCK = [Requirement(line) for line in (ROOT / "requirements.lock").read_text().splitlines()]


def generator() -> ModuleType:
    """envs/generate.py, which is no package."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "envs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    return generate


def test_the_environment_file_is_made_from_the_lock() -> None:
    generate = generator()
    lock = (ROOT / "requirements.lock").read_text()
    assert (ROOT / "envs" / "reranksmart.yaml").read_text() == generate.conda_environment(lock)
    assert yaml.safe_load(generate.conda_environment(lock))["dependencies"][-1]["pip"][:-1] == lock.splitlines()


def test_the_rules_environment_installs_this_package() -> None:
    """pip resolves paths from the folder of the copy that Snakemake makes of the file."""
    pins = yaml.safe_load((ROOT / "envs" / "reranksmart.yaml").read_text())["dependencies"][-1]["pip"]
    assert (ROOT / ".snakemake" / "conda" / pins[-1].removeprefix("-e ")).resolve() == ROOT


def test_the_detectors_environment_file_is_made_from_its_lock() -> None:
    lock = (ROOT / "envs" / "detector.lock").read_text()
    made = generator().conda_environment(lock, name="detector.lock", project=False)
    assert (ROOT / "envs" / "detector.yaml").read_text() == made
    assert yaml.safe_load(made)["dependencies"][-1]["pip"] == lock.splitlines()


def test_the_detectors_lock_holds_the_pair_that_the_project_names() -> None:
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["detector"]
    pins = [line for line in named if "==" in line]
    assert [pin.split("==")[0] for pin in pins] == ["torch", "torchvision"]
    lock = (ROOT / "envs" / "detector.lock").read_text().splitlines()
    assert set(pins) <= set(lock)
    assert {Requirement(line).name for line in named} <= {Requirement(line).name for line in lock}


@pytest.mark.parametrize("pin", [pin for pin in LOCK if pin.marker is None or pin.marker.evaluate()], ids=str)
def test_what_is_installed_is_what_is_locked(pin: Requirement) -> None:
    name = pin.name
    if name == "faiss-cpu" and importlib.util.find_spec("faiss") is not None:
        try:
            found = version("faiss-cpu")
        except importlib.metadata.PackageNotFoundError:
            found = version("faiss-gpu")
    else:
        found = version(name)
    assert pin.specifier.contains(found.split("+")[0], prereleases=True), f"{name} {found} is installed"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder, with a space in its path, in which `make` has set up a .venv before."""
    folder = tmp_path / "a clone"
    (folder / ".venv").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    (folder / ".venv" / ".ready").write_text(f"cpu\n{folder}\n")
    return folder


def made(folder: Path, *options: str, **environment: str) -> str:
    command = ["make", "-C", str(folder), "setup", *options]
    clean = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "FAISS")}
    return subprocess.run(command, env={**clean, **environment}, text=True, capture_output=True).stdout


def test_another_faiss_is_installed_instead_of_the_one_that_is_there(clone: Path) -> None:
    assert "Nothing to be done" in made(clone)
    gpu = made(clone, "--dry-run", "FAISS=gpu")
    assert gpu.index("pip uninstall --quiet --yes faiss-cpu") < gpu.index("s/^faiss-cpu/faiss-gpu/")
    (clone / ".venv" / ".ready").write_text(f"gpu\n{clone}\n")
    assert "Nothing to be done" in made(clone)
    assert "pip uninstall --quiet --yes faiss-gpu" in made(clone, "--dry-run", "FAISS=cpu")


def test_a_moved_folder_sets_itself_up_anew(clone: Path) -> None:
    moved = clone.rename(clone.with_name("moved"))
    said = made(moved, "--dry-run")
    assert said.index("rm -rf .venv") < said.index("-m venv .venv")


def test_a_user_s_own_packages_and_pip_settings_do_not_count(clone: Path) -> None:
    (clone / ".venv" / ".ready").unlink()
    python = clone / "python"
    python.write_text('#!/bin/sh\necho "path=$PYTHONPATH user=$PIP_USER target=$PIP_TARGET"\nexit 1\n')
    python.chmod(0o755)
    said = made(clone, "PYTHON=./python", PYTHONPATH="/else", PIP_USER="1", PIP_TARGET="/else")
    assert said.splitlines()[1] == "path= user=no target="
