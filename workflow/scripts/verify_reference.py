"""Recomputes the measures of the tiny configuration in a temporary folder and compares them with the committed ones.

`make verify` does it: bit for bit where processor, threads and versions are those of the reference, else within a
tolerance, since another kind of processor rounds otherwise.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from reranksmart.config.validation import validated
from reranksmart.files.storage import read_json, write_json
from reranksmart.plan import entries

ROOT = Path(__file__).parent.parent.parent
TINY = "workflow/configs/tiny.yaml"
CONFIG = validated(yaml.safe_load((ROOT / TINY).read_text()))
KEYS = ["backbone", "training_set", "system", "seed", "test_set", "language", "depth", "fusion", "direction"]
TOLERANCE = {"rsum": 30.0, "median rank": 2.0}
OTHER_TOLERANCE = 5.0
"""Percentage points, on another kind of processor: six captions of 120, or one image of 24.

With no vector instructions but SSE the tiny run's measures moved by 4.2 points at most, rsum by 11, median ranks by 1.5;
with those of AVX2 alone by nothing, though its weights were others.
"""
SHOWN = 20


def measured() -> list[Path]:
    """The folders of measures that the tables of the configuration read."""
    paths = {Path(path) for name in entries.measured(CONFIG) for path in entries.inputs(CONFIG, "tables", name)}
    return sorted(path for path in paths if path.parts[1] in ("measures", "twins"))


def recompute(folder: Path) -> Path:
    """The results of a run in ``folder`` of all that measures need, with this checkout's stamps where it has some."""
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(ROOT / name, folder)
    for name in ("workflow", "profiles", "envs"):
        shutil.copytree(ROOT / name, folder / name)
    stamps = ROOT / "results" / "stamps" / "pictures"
    if stamps.is_dir():
        tiny = folder / TINY
        tiny.write_text(tiny.read_text().replace("stamps: null", f"stamps: {stamps}"))
    command = ["snakemake", *map(str, measured()), "--configfile", TINY, "--cores", str(os.cpu_count())]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "results"


def read_run(results: Path) -> pd.DataFrame:
    """The measures of a run: a row for each system, test set, depth and direction, a column for each measure."""
    tables = [_exact(results.parent / folder / "measures.csv", ["value"]) for folder in measured()]
    return pd.concat(tables).pivot(index=KEYS, columns="measure", values="value").sort_index()


def read_reference(path: Path) -> pd.DataFrame:
    measures = [name for name in path.read_text().partition("\n")[0].split(",") if name not in KEYS]
    return _exact(path, measures).set_index(KEYS)


def _exact(path: Path, numbers: list[str]) -> pd.DataFrame:
    """A table of text, with those columns as the very numbers that were written."""
    return pd.read_csv(path, dtype=str).astype(dict.fromkeys(numbers, float))


def made_by(results: Path) -> dict[str, Any]:
    """What decides how a run rounds: processor, threads and versions, as the provenance of its measures says."""
    found = read_json(results.parent / measured()[0] / "provenance.json")
    return {name: found[name] for name in ("processor", "threads", "libraries")}


def differences(reference: pd.DataFrame, found: pd.DataFrame, *, exact: bool) -> list[str]:
    """The cells that differ, by more than the tolerance unless ``exact``: each cell, from what to what."""
    said = []
    before, after = (table.stack().rename_axis([*KEYS, "measure"]) for table in (reference, found))
    cells = pd.DataFrame({"before": before, "after": after}).dropna(how="all")
    for key, (old, new) in zip(cells.index, cells.itertuples(index=False), strict=True):
        allowed = 0.0 if exact else TOLERANCE.get(key[-1], OTHER_TOLERANCE)
        if old != new and not abs(_listed(new) - _listed(old)) <= allowed:
            said.append(f"{' '.join(map(str, key))}: {old} in the reference, {new} now")
    return said


def _listed(value: float) -> float:
    """The value; of a rank that is not in the list of candidates, and so infinite, the first one beyond the list."""
    return CONFIG.candidates + 1 if value == float("inf") else value


def verify(results: Path, reference: Path) -> int:
    """Says what came of the comparison; 1 where the measures are others."""
    theirs, ours = read_json(reference / "made_by.json"), made_by(results)
    found = read_run(results)
    other = differences(read_reference(reference / "measures.csv"), found, exact=theirs == ours)
    print(f"{found.count().sum():,} measures of the tiny configuration, compared {_how(theirs, ours)}")
    for line in other[:SHOWN]:
        print(f"  {line}")
    if other:
        print(f"{_count(other)} from the reference: the code, its settings or its libraries compute something else.")
    else:
        print("All are the reference's.")
    return int(bool(other))


def _how(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    if theirs == ours:
        return "bit for bit: processor, threads and versions are the reference's"
    changed = [
        f"  {name}: {theirs[name]} in the reference, {ours[name]} here" for name in ours if ours[name] != theirs[name]
    ]
    within = (
        f"within {OTHER_TOLERANCE:g} points (rsum: {TOLERANCE['rsum']:g}, median rank: {TOLERANCE['median rank']:g})"
    )
    return "\n".join([f"{within}, since this machine rounds otherwise:", *changed])


def _count(other: list[str]) -> str:
    return "1 measure differs" if len(other) == 1 else f"{len(other):,} measures differ"


def keep(results: Path, reference: Path) -> None:
    reference.mkdir(parents=True, exist_ok=True)
    read_run(results).to_csv(reference / "measures.csv")
    write_json(reference / "made_by.json", made_by(results))


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--results", type=Path, help="compare this run of the tiny configuration; recompute nothing")
    options.add_argument("--reference", type=Path, default=ROOT / "results" / "reference_tiny")
    options.add_argument("--keep", action="store_true", help="make the run's measures the reference")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        results = chosen.results.absolute() if chosen.results else recompute(Path(folder))
        if chosen.keep:
            keep(results, chosen.reference)
        return verify(results, chosen.reference)


if __name__ == "__main__":
    sys.exit(main())
