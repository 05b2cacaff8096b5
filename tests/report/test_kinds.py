"""A kind is one module: a table that nobody knew is made from its module and an entry of the configuration."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

from reranksmart.files.storage import write_json

ROOT = Path(__file__).parent.parent.parent
MODULE = '''
"""The rank at which half of the queries have their first right item."""

from typing import Literal

from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.reading import measures
from reranksmart.report.table import Column


class Settings(TableOfExperiments):
    direction: Literal["text-to-image", "image-to-text"] = "text-to-image"


def ranks_table(measures, asked):
    columns = (Column(f"{asked.settings['direction']} median rank", "median rank", unit="rank"),)
    rows = asked.rows(measures)
    return asked.table("Median ranks", columns, [asked.row(rows, system, columns) for system in asked.systems], "")


KIND = Kind(Settings, reads=(measures(),), make=ranks_table)
'''
ENTRY = {"ranks": {"kind": "median_rank", "experiments": ["main"], "direction": "image-to-text"}}
ASK = """
import json, sys, yaml
from reranksmart.config.validation import validated
from reranksmart.plan import entries
config = validated(yaml.safe_load(open("config.yaml")))
print(json.dumps([entries.inputs(config, "tables", "ranks"), entries.asked(config, "tables", "ranks")]))
"""


def test_a_new_kind_of_table_is_one_module_and_one_entry(measures: pd.DataFrame, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "src/reranksmart/report/tables/median_rank.py").write_text(MODULE)
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({**config, "tables": ENTRY, "headline": "ranks"}))

    def run(*command: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    paths, asked = json.loads(run(sys.executable, "-c", ASK))
    places = [path.parts[-3:-1] for path in map(Path, paths)]
    assert {system for system, _ in places} == set(config["experiments"]["main"]["systems"])
    for path, (system, seed) in zip(map(Path, paths), places, strict=True):
        own = measures[(measures["system"] == system) & (measures["backbone"] == "oscar_small")]
        (tmp_path / path).mkdir(parents=True)
        own.assign(backbone="oscar", seed=int(seed.removeprefix("seed"))).drop(columns=["sd", "seeds"]).to_csv(
            tmp_path / path / "measures.csv"
        )
        write_json(tmp_path / path / "provenance.json", {"verb": "evaluate", "package": "1", "code": "1"})
    run(sys.executable, "-m", "reranksmart", "tabulate", "--settings", asked, "--output", "made", *paths)
    text = (tmp_path / "made/ranks.md").read_text()
    assert text.startswith("**Median ranks**")
    assert all(f"| {label}" in text for label in ("BE", "Sep+Coop", "Joint+BE", "Joint+Coop"))
