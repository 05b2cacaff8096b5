"""One set of pins: the lock, the rules' environment file and what is installed agree."""

import importlib.metadata
import importlib.util
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
