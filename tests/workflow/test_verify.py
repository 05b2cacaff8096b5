"""`make verify`: a run has the measures of the committed reference of the tiny configuration, or is told apart."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from running import ROOT

pytestmark = pytest.mark.workflow

SCRIPT = ROOT / "workflow" / "scripts" / "verify_reference.py"
_SPEC = importlib.util.spec_from_file_location("verify_reference", SCRIPT)
assert _SPEC is not None
assert _SPEC.loader is not None
verifying = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(verifying)


@pytest.fixture
def verify(finished: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[Path], tuple[int, str]]:
    """Compares the finished run with a reference: exit status, and what is said."""

    def compared(reference: Path) -> tuple[int, str]:
        return verifying.verify(finished / "results", reference), capsys.readouterr().out

    return compared


@pytest.fixture
def reference(finished: Path, tmp_path: Path) -> Path:
    """A reference that this machine made."""
    verifying.keep(finished / "results", tmp_path / "reference")
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
    done = subprocess.run([sys.executable, SCRIPT, "--results", finished / "results"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All are the reference's." in done.stdout


def test_on_the_same_machine_the_least_difference_of_one_cell_is_named(verify, reference: Path) -> None:
    assert "compared bit for bit" in verify(reference)[1]
    tamper(reference, by=1e-9)
    status, said = verify(reference)
    assert status == 1
    assert "R@1: " in said
    assert "1 measure differs" in said


def test_on_another_machine_a_rank_may_fall_just_off_the_list(reference: Path) -> None:
    measures = verifying.read_reference(reference / "measures.csv").dropna(subset="median rank")[:1]
    last, inner, off = (
        measures.assign(**{"median rank": rank}) for rank in (24.0, 22.0, float("inf"))
    )  # 24 candidates
    assert verifying.differences(last, off, exact=False) == []
    (said,) = verifying.differences(inner, off, exact=False)
    assert said.endswith("median rank: 22.0 in the reference, inf now")


def test_on_another_machine_a_difference_beyond_the_tolerance_is_named(verify, reference: Path) -> None:
    of_another_machine(reference)
    tamper(reference, by=4)
    status, said = verify(reference)
    assert status == 0
    assert "within 5 points" in said
    assert "processor: another in the reference" in said
    tamper(reference, by=2)
    status, said = verify(reference)
    assert status == 1
    assert "R@1: " in said


def test_a_measure_that_is_missing_is_named(verify, reference: Path) -> None:
    path = reference / "measures.csv"
    head, first, *others = path.read_text().splitlines(keepends=True)
    path.write_text("".join([head, first.replace(",test,cs,", ",test,aa,"), *others]))
    value = dict(zip(head.split(","), first.split(","), strict=True))["mR"]
    status, said = verify(reference)
    assert status == 1
    assert f"test aa 0 none both mR: {value} in the reference, nan now" in said
    assert f"test cs 0 none both mR: nan in the reference, {value} now" in said
