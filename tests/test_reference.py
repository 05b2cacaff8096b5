"""The committed reference run: its tables come out of its measures again, and README shows them."""

from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from reranksmart import plan
from reranksmart.config import validated
from reranksmart.report.catalogue import ReportSettings, make_table
from reranksmart.report.tables import markdown
from reranksmart.storage import read_json

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "results" / "reference"
CONFIG = validated(yaml.safe_load((ROOT / "config.yaml").read_text()))


@pytest.mark.parametrize("name", plan.tables(CONFIG))
def test_a_reference_table_comes_out_of_its_measures_again(name: str) -> None:
    inputs = [REFERENCE / Path(path).relative_to("results") for path in plan.table_inputs(CONFIG, name)]
    settings = TypeAdapter(ReportSettings).validate_json(plan.report_settings(CONFIG, name))
    assert markdown(make_table(name, inputs, settings)) == (REFERENCE / "tables" / f"{name}.md").read_text()


def test_readme_shows_the_reference_table() -> None:
    assert (REFERENCE / "tables" / "table1_main.md").read_text() in (ROOT / "README.md").read_text()


def test_the_reference_holds_no_picture_of_the_photographs() -> None:
    figures = {path.name for path in (REFERENCE / "figures").iterdir()}
    pictures = [path for path in REFERENCE.rglob("*") if path.suffix in (".jpg", ".jpeg", ".png", ".html")]
    assert {path.name for path in pictures} <= figures


def test_the_reference_run_made_every_model_from_its_settings() -> None:
    for model in plan.trained_models(CONFIG):
        found = read_json(REFERENCE / "models" / model / "model" / "provenance.json")
        objective = model.split("/")[2]
        assert found["settings"] == plan.settings(CONFIG.objectives[objective])
