"""One set of pins: the lock, the rules' environment file and what is installed agree."""

import importlib.metadata
import importlib.util
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
LOCK = [Requirement(line) for line in (ROOT / "requirements.lock").read_text().splitlines()]


def test_the_environment_file_is_made_from_the_lock() -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "envs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    lock = (ROOT / "requirements.lock").read_text()
    assert (ROOT / "envs" / "reranksmart.yaml").read_text() == generate.conda_environment(lock)
    assert yaml.safe_load(generate.conda_environment(lock))["dependencies"][-1]["pip"][:-1] == lock.splitlines()


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
