"""What changes the digest of a verb's code, and what does not: each claim is tried on an edited copy of the package."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reranksmart.files.code import code_digest

PACKAGE = Path(__file__).parent.parent / "src" / "reranksmart"
_SCRIPT = """
import json
from reranksmart.files.code import code_digest
from reranksmart.files.code.verbs import verbs
digests = {verb: code_digest(verb) for verb in verbs()}
for family in ("oscar", "blip"):
    digests |= {f"{verb} {family}": code_digest(verb, f"reranksmart.families.{family}") for verb in ("encode",)}
for kind in ("scenes", "files"):
    digests |= {f"{verb} {kind}": code_digest(verb, f"reranksmart.datasets.{kind}") for verb in ("prepare-split",)}
print(json.dumps(digests))
"""


def digests(package: Path) -> dict[str, str]:
    """The digest of every verb of a copy of the package, and of a preparation of two kinds of dataset."""
    environment = {"PYTHONPATH": str(package.parent)}
    done = subprocess.run([sys.executable, "-c", _SCRIPT], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def before() -> dict[str, str]:
    return digests(PACKAGE)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return shutil.copytree(PACKAGE, tmp_path / "reranksmart", ignore=shutil.ignore_patterns("__pycache__"))


def edit(copied: Path, file: str, old: str, new: str) -> None:
    text = (copied / file).read_text()
    assert old in text, f"{file} has no {old!r} any more; name another place of that kind"
    (copied / file).write_text(text.replace(old, new, 1))


def changed(copied: Path, before: dict[str, str]) -> set[str]:
    after = digests(copied)
    return {name for name in before if after[name] != before[name]}


def test_what_only_people_read_changes_no_digest(copied: Path, before: dict[str, str]) -> None:
    objectives, reading = "training/objectives.py", "files/reading.py"
    edit(copied, objectives, "import torch", "# a comment\nimport torch")
    edit(copied, objectives, '"""', '"""Reworded. ')
    edit(copied, objectives, "temperature: float", "temperature: int | float")  # an annotation
    edit(copied, reading, "is truncated, damaged", "is cut off, damaged")  # the text of an error
    edit(copied, reading, "Delete it; the command", "Remove it; the command")  # a default that only such texts hold
    edit(copied, reading, "_MOST_WORDS = 600", "_MOST_WORDS = 200")  # of a function that composes such texts
    edit(copied, reading, "Make it by the command", "Make it with the command")  # a local variable for them
    edit(copied, "files/storage.py", "Mend the file or make", "Repair the file or make")  # handed to the function above
    edit(copied, "run/progress.py", "tqdm(items", "tqdm([*items]")
    edit(copied, "cli/verb.py", "processor threads", "threads")  # help texts
    edit(copied, "cli/training.py", "folder of the pretrained backbone", "the pretrained backbone's folder")
    assert changed(copied, before) == set()


def test_a_new_kind_or_key_changes_no_digest(copied: Path, before: dict[str, str]) -> None:
    for room in ("families", "datasets", "report/tables", "config", "cli"):
        (copied / room).mkdir(exist_ok=True)
        (copied / room / "added.py").write_text("class Added: ...\n\n\nADDED = {}\n")
    edit(copied, "config/schema.py", "class Config(", "class Unused: ...\n\n\nclass Config(")
    assert changed(copied, before) == set()


@pytest.mark.parametrize(
    ("file", "old", "new", "remade"),
    [
        ("training/objectives.py", "/ temperature", "* temperature", {"pretrain", "train"}),
        ("training/sampling.py", "< 0.5", "< 0.4", {"pretrain", "train"}),
        (
            "files/storage.py",
            'False), "scores", axes=2',
            'False), "scores", axes=1',
            {"evaluate", "evaluate-absence", "evaluate-extended", "export", "report", "rerank"},
        ),
        ("cli/measuring.py", "resamples: options.Resamples = 1000", "resamples: options.Resamples = 999", {"evaluate"}),
        ("report/paper_numbers.csv", "\n", "\n\n", {"tabulate", "report"}),
        ("families/blip.py", "log_odds(logits)", "-log_odds(logits)", {"encode blip"}),
        ("datasets/files.py", "path != captions_file", "path == captions_file", {"prepare-split files"}),
    ],
    ids=["loss", "sampler", "reader", "default", "package data", "family", "dataset"],
)
def test_what_a_verb_runs_changes_its_digest_and_no_other_s(
    copied: Path, before: dict[str, str], file: str, old: str, new: str, remade: set[str]
) -> None:
    edit(copied, file, old, new)
    assert changed(copied, before) == remade


def test_an_unknown_verb_or_kind_is_named() -> None:
    with pytest.raises(ValueError, match="there is no verb 'trian'"):
        code_digest("trian")
    with pytest.raises(ValueError, match="none is not a module"):
        code_digest("train", "reranksmart.datasets.none")
