"""Damaged files by the thousand: each is read rightly or refused in the project's own words, and nothing else happens."""

from __future__ import annotations

import json
import random
import shutil
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import ROOT

from .readers import READERS
from .trial import Outcome, attempt, damaged, whole

FEW, MANY = 10, 100
ALLOWED = {"same", "other", "refused", "refused by Snakemake"}
KINDS = {
    "same": "read, with the value of the whole file",
    "other": "read, with another value: the file is whole and says something else",
    "refused": "refused with file, fault and what to do",
    "refused by Snakemake": "no YAML: Snakemake says so before this project reads it",
}
every_reader = pytest.mark.parametrize("name", READERS)
NOT_FROM_A_REPOSITORY = ("index folder", "own files", "stamps", "selected stamps", "paper's", "configuration")
"""Made here, or fetched otherwise; of own files a picture that is none is counted, not refused."""
Counts = dict[str, Counter[str]]
DAMAGES: Counter[str] = Counter()
"""How often each kind of damage was done."""


@pytest.fixture(scope="module")
def counts() -> Iterator[Counts]:
    """What came of the inputs of each reader; written to results/tests/bad_input.{md,json} at the end."""
    found: Counts = {}
    DAMAGES.clear()
    yield found
    total = sum(found.values(), Counter())
    lines = [f"{total.total():,} damaged inputs to {len(found)} readers:", ""]
    lines += [f"- {total[kind]:,} {KINDS.get(kind, kind)}" for kind in sorted({*KINDS, *total})]
    lines += ["", "| reader | " + " | ".join(KINDS) + " |", "|---" * (1 + len(KINDS)) + "|"]
    lines += [f"| {name} | " + " | ".join(str(each[kind]) for kind in KINDS) + " |" for name, each in found.items()]
    lines += ["", "| damage | inputs |", "|---|---|", *(f"| {how} | {n} |" for how, n in sorted(DAMAGES.items()))]
    folder = ROOT / "results" / "tests"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bad_input.md").write_text("\n".join(lines) + "\n")
    (folder / "bad_input.json").write_text(
        json.dumps({"total": total, "readers": found, "damages": DAMAGES}, indent=1) + "\n"
    )
    print("\n".join(lines))


def outcomes(name: str, folder: Path, count: int, *, seed: int = 0) -> list[tuple[str, Outcome]]:
    """How each of ``count`` damaged inputs of a reader was damaged, and what came of it."""
    reader, rng = READERS[name], random.Random(zlib.crc32(name.encode()) + seed)
    place = folder / "trial"
    expected = whole(reader, place)
    kept = folder / "kept"
    shutil.copytree(place / "in", kept)
    found = []
    for _ in range(count):
        how = damaged(reader, place, kept, rng)
        DAMAGES[how.split(", ", 1)[1].partition(":")[0].replace("_", " ")] += 1
        found.append((how, attempt(reader, place, expected)))
    return found


def require_sound(found: list[tuple[str, Outcome]]) -> None:
    faults = [f"{how}: {outcome.kind}: {outcome.message}" for how, outcome in found if outcome.kind not in ALLOWED]
    assert not faults, "\n".join(faults)


@every_reader
def test_damaged_input_is_read_or_refused(name: str, tmp_path: Path, counts: Counts) -> None:
    found = outcomes(name, tmp_path, FEW)
    counts[name] = Counter(outcome.kind for _, outcome in found)
    assert counts[name].total() == FEW
    require_sound(found)


@pytest.mark.parametrize("name", [name for name in READERS if not name.startswith(NOT_FROM_A_REPOSITORY)])
def test_a_pointer_of_git_lfs_is_called_one(name: str, tmp_path: Path) -> None:
    expected = whole(READERS[name], tmp_path)
    largest = max(
        (path for path in (tmp_path / "in").rglob("*") if path.is_file()), key=lambda path: path.stat().st_size
    )
    largest.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 605157884\n")
    outcome = attempt(READERS[name], tmp_path, expected)
    assert (outcome.kind, "run git lfs pull" in outcome.message) == ("refused", True), outcome.message


@pytest.mark.slow
@every_reader
def test_much_damaged_input_is_read_or_refused(name: str, tmp_path: Path, counts: Counts) -> None:
    found = outcomes(name, tmp_path, MANY, seed=1)
    counts[name] = counts.get(name, Counter()) + Counter(outcome.kind for _, outcome in found)
    assert counts[name].total() >= MANY
    require_sound(found)
    assert any(outcome.kind != "same" for _, outcome in found)


def test_one_run_damages_at_least_five_hundred_inputs() -> None:
    assert len(READERS) * FEW >= 500
