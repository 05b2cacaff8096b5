"""A new dataset is one module and its rows of sources.csv: added to a copy of the package, its splits are prepared."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

PACKAGE = Path(__file__).parents[2] / "src" / "reranksmart"
MODULE = '''
"""Haiku: three lines about a picture, in a text file of name and caption."""

from pathlib import Path
from typing import Literal

from reranksmart.datasets.published.captions import PublishedCaption, collect
from reranksmart.datasets.published.settings import Published, UsedSplit
from reranksmart.datasets.published.texts import read_lines
from reranksmart.values.records import Captions
from reranksmart.values.settings import Name, Place


class Haiku(Published):
    kind: Literal["haiku"]
    captions: Place
    splits: dict[Name, UsedSplit]

    terms = "Haiku may be read aloud only."
    sizes = 575
    each = 1

    @property
    def languages(self) -> tuple[str, ...]:
        return ("ja",)

    def read(self, split: str) -> Captions:
        path = Path(self.captions)
        rows = [line.split("|") for line in read_lines(path)]
        return collect((PublishedCaption(f"haiku/{n}#0", text, f"haiku/{n}", "ja", str(path)) for n, text in rows), source=path)
'''
ROW = "haiku,haiku/lines.txt,https://example.org/lines.txt,,,,haiku,to be read,https://example.org/licence,alive,2026-11\n"
PLAN = """
import json, sys
from types import SimpleNamespace
from reranksmart.plan import data
from reranksmart.config.validation import validated
from reranksmart.plan.sizes import captions_of, images_of
config = validated(json.loads(sys.argv[1]))
place = SimpleNamespace(dataset="poems", split="test")
fetched = data.split_inputs(config, place)["fetched"]
sizes = images_of(config, "poems", "test"), captions_of(config, "poems", "test", ("en", "ja"))
print(json.dumps({"fetched": fetched, "settings": data.split_settings(config, place), "sizes": sizes}))
"""


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The folder of a copy of the package with one dataset more."""
    package = shutil.copytree(PACKAGE, tmp_path / "reranksmart", ignore=shutil.ignore_patterns("__pycache__"))
    (package / "datasets" / "haiku.py").write_text(MODULE, encoding="utf-8")
    with (package / "datasets" / "sources.csv").open("a", encoding="utf-8") as table:
        table.write(ROW)
    return tmp_path


def python(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env={"PYTHONPATH": "."}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_new_module_is_a_kind_of_dataset_that_is_planned_and_prepared(copied: Path) -> None:
    dataset = {"kind": "haiku", "captions": "source:haiku/lines.txt", "images": ["pictures"], "splits": {"test": {}}}
    raw = {
        "datasets": {"poems": dataset},
        "downloads": {"accept": ["haiku"]},
        "tables": {"table1_main": {"kind": "main", "experiments": ["mine"]}},
        "backbones": {"small": {"embedder": "oscar", "languages": ["ja"]}},
        "training_sets": {"poems": {"dataset": "poems", "split": "test", "dev_split": "test"}},
        "objectives": {"bi": {"bi_encoder": {}}},
        "systems": {"be": {"label": "BE", "retriever": "bi"}},
        "test_sets": {"poems": {"dataset": "poems", "split": "test"}},
        "experiments": {
            "mine": {"backbones": ["small"], "training_sets": ["poems"], "systems": ["be"], "test_sets": ["poems"]}
        },
    }
    planned = json.loads(python(copied, "-c", PLAN, json.dumps(raw)))
    assert planned["fetched"] == ["results/downloads/haiku/lines.txt.json"]
    assert planned["sizes"] == [575, 575]
    (copied / "downloads" / "haiku").mkdir(parents=True)
    (copied / "downloads" / "haiku" / "lines.txt").write_text("1|古池や\n2|蛙飛びこむ\n", encoding="utf-8")
    (copied / "pictures").mkdir()
    for number in (1, 2):
        Image.new("RGB", (8, 8)).save(copied / "pictures" / f"{number}.jpg")
    verb = ["prepare-split", "--split", "test", "--settings", planned["settings"], "--output", "data/poems/test"]
    python(copied, "-m", "reranksmart", *verb)
    prepared = copied / "data" / "poems" / "test"
    texts = [json.loads(line)["text"] for line in (prepared / "captions.jsonl").read_text("utf-8").splitlines()]
    assert texts == ["古池や", "蛙飛びこむ"]
    assert {path.name for path in (prepared / "images").iterdir()} == {"1", "2"}


def test_another_kind_changes_the_code_of_no_dataset_but_its_own(copied: Path) -> None:
    script = """
import json
from reranksmart.files.code import code_digest
from reranksmart.datasets import kinds, module_of
print(json.dumps({kind: code_digest("prepare-split", module_of(kind)) for kind in kinds()}))
"""
    before = json.loads(python(copied, "-c", script))
    module = copied / "reranksmart" / "datasets" / "haiku.py"
    module.write_text(module.read_text("utf-8").replace("575", "17"), encoding="utf-8")
    after = json.loads(python(copied, "-c", script))
    assert {kind for kind in after if after[kind] != before[kind]} == {"haiku"}
