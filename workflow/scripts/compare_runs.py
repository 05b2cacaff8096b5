"""Compares the tables of two runs byte by byte: what must not move when code is only rearranged.

    python workflow/scripts/compare_runs.py BEFORE/results AFTER/results

Tables that hold times differ from run to run and are left out by name. Exit status 1 where anything else differs.
"""

import argparse
import json
import sys
from pathlib import Path

TIMES = frozenset({"ms", "seconds", "hours"})


def is_timed(table: Path) -> bool:
    """Whether a column of a table, given as JSON, is a time."""
    return any(column["unit"] in TIMES for column in json.loads(table.read_text())["columns"])


def differences(before: Path, after: Path, names: set[str]) -> list[str]:
    """The files of these tables that only one run has, or whose bytes differ."""
    files = sorted(path.name for folder in (before, after) for path in folder.iterdir() if path.stem in names)
    return [name for name in dict.fromkeys(files) if content(before / name) != content(after / name)]


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path, help="results folder of a run")
    parser.add_argument("after", type=Path, help="results folder of another")
    given = parser.parse_args()
    folders = given.before / "tables", given.after / "tables"
    tables = {path.stem: is_timed(path) for folder in folders for path in folder.glob("*.json")}
    compared = {name for name, timed in tables.items() if not timed}
    if not compared:
        sys.exit(f"neither {folders[0]} nor {folders[1]} has a table without times; name the results of two runs")
    differing = differences(*folders, compared)
    print(f"{len(compared)} tables compared, {len(tables) - len(compared)} with times left out.")
    print("\n".join(f"differs: {name}" for name in differing) or "All are the same, byte by byte.")
    sys.exit(bool(differing))
