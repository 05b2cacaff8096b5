"""`make verify`: a run has the measures of the committed reference of the tiny configuration, or is told apart."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from running import ROOT

pytestmark = pytest.mark.workflow

REFERENCE = ROOT / "results" / "reference_tiny"
SCRIPT = ROOT / "workflow" / "scripts" / "verify_reference.py"


def verify(finished: Path, reference: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, "--results", finished / "results", "--reference", reference, *options]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def reference(finished: Path, tmp_path: Path) -> Path:
    """A reference that this machine made."""
    verify(finished, tmp_path / "reference", "--keep")
    return tmp_path / "reference"


def tamper(reference: Path, *, by: float) -> None:
    path = reference / "measures.csv"
    table = pd.read_csv(path, dtype=str)
    row = table["R@1"].first_valid_index()
    table.loc[row, "R@1"] = str(float(table.loc[row, "R@1"]) + by)
    table.to_csv(path, index=False)


def of_another_machine(reference: Path) -> None:
    made_by = json.loads((reference / "made_by.json").read_text())
    (reference / "made_by.json").write_text(json.dumps({**made_by, "processor": "another"}))


def test_a_run_has_the_measures_of_the_committed_reference(finished: Path) -> None:
    done = verify(finished, REFERENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All are the reference's." in done.stdout


def test_on_the_same_machine_the_least_difference_of_one_cell_is_named(finished: Path, reference: Path) -> None:
    assert "compared bit for bit" in verify(finished, reference).stdout
    tamper(reference, by=1e-9)
    done = verify(finished, reference)
    assert done.returncode == 1
    assert "R@1: " in done.stdout
    assert "1 measure differs" in done.stdout


def test_on_another_machine_a_rank_may_fall_just_off_the_list(finished: Path, reference: Path) -> None:
    of_another_machine(reference)
    path = reference / "measures.csv"
    table = pd.read_csv(path, dtype=str)
    path.write_text(path.read_text().replace(",inf", ",24.0"))  # of 24 candidates
    assert path.read_text() != table.to_csv(index=False)
    assert verify(finished, reference).returncode == 0
    path.write_text(path.read_text().replace(",24.0", ",22.0"))
    done = verify(finished, reference)
    assert done.returncode == 1
    assert "median rank: 22.0 in the reference, inf now" in done.stdout


def test_on_another_machine_a_difference_beyond_the_tolerance_is_named(finished: Path, reference: Path) -> None:
    of_another_machine(reference)
    tamper(reference, by=4)
    done = verify(finished, reference)
    assert done.returncode == 0
    assert "within 5 points" in done.stdout
    assert "processor: another in the reference" in done.stdout
    tamper(reference, by=2)
    done = verify(finished, reference)
    assert done.returncode == 1
    assert "R@1: " in done.stdout


def test_a_measure_that_is_missing_is_named(finished: Path, reference: Path) -> None:
    path = reference / "measures.csv"
    path.write_text(path.read_text().replace(",test,cs,", ",test,aa,", 1))
    done = verify(finished, reference)
    assert done.returncode == 1
    assert "test aa 0 none both mR: 20.55" in done.stdout
    assert "in the reference, nan now" in done.stdout
    assert "nan in the reference, 20.55" in done.stdout
