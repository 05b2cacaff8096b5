"""What the sections of the page of benchmarks share: records, tables, and where a number is from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).parent
RESULTS = ROOT / "results"


def read(name: str) -> dict[str, Any] | None:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def source(record: dict[str, Any]) -> str:
    libraries = ", ".join(f"{name} {version}" for name, version in record["libraries"].items() if version)
    return (
        f"*{record['date'][:10]}, {record['device']}{' with AMX' if record.get('amx') else ''}, {record['threads']} of {record['cores']} cores, "
        f"load {record['load_average']:.1f} before it; {libraries}; commit {record['commit']}.*"
    )


def table(rows: list[dict[str, Any]]) -> str:
    return pd.DataFrame(rows).to_markdown(index=False)
