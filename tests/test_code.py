import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "reranksmart"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return shutil.copytree(PACKAGE, tmp_path / "reranksmart", ignore=shutil.ignore_patterns("__pycache__"))


def digest(copied: Path, module: str) -> str:
    """The digest of a module of the copied package, from a fresh process."""
    script = f"from reranksmart.files.code import code_digest; print(code_digest('reranksmart.cli.{module}'))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=copied.parent, env={"PYTHONPATH": "."}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def edit(copied: Path, file: str, old: str, new: str) -> None:
    text = (copied / file).read_text()
    assert old in text
    (copied / file).write_text(text.replace(old, new))


def test_a_changed_objective_reruns_training_and_not_evaluation(copied: Path) -> None:
    before = {module: digest(copied, module) for module in ("training", "measuring")}
    edit(copied, "training/objectives.py", "temperature", "temperatur")
    assert digest(copied, "training") != before["training"]
    assert digest(copied, "measuring") == before["measuring"]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("training/objectives.py", "from __future__", "# a comment\nfrom __future__"),
        ("training/objectives.py", '"""', '"""Reworded. '),
        ("config/schema.py", "class Config(", "class Unused: ...\n\n\nclass Config("),
    ],
    ids=["comment", "docstring", "schema"],
)
def test_what_cannot_change_an_artefact_reruns_nothing(copied: Path, file: str, old: str, new: str) -> None:
    before = digest(copied, "training")
    text = (copied / file).read_text()
    (copied / file).write_text(text.replace(old, new, 1))
    assert digest(copied, "training") == before
