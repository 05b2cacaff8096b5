"""The committed reference run: its tables come out of its measures again, and README shows them."""

from importlib import import_module
from pathlib import Path
from statistics import fmean
from types import ModuleType

import pandas as pd
import pytest
import yaml
from pydantic import TypeAdapter

from reranksmart.config.training import Objective
from reranksmart.config.validation import validated
from reranksmart.files.storage import read_json
from reranksmart.plan import entries, experiments
from reranksmart.report.asked import Asked
from reranksmart.report.making import make_table
from reranksmart.report.rendering import markdown

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "results" / "reference"
CONFIG = validated(yaml.safe_load((REFERENCE / "config.yaml").read_text()))


@pytest.mark.parametrize("name", CONFIG.tables)
def test_a_reference_table_comes_out_of_its_measures_again(name: str) -> None:
    inputs = [REFERENCE / Path(path).relative_to("results") for path in entries.inputs(CONFIG, "tables", name)]
    asked = TypeAdapter(Asked).validate_json(entries.asked(CONFIG, "tables", name))
    assert markdown(make_table(asked, inputs)) == (REFERENCE / "tables" / f"{name}.md").read_text()


@pytest.fixture
def keeping(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script that puts the reference into README and the manual."""
    monkeypatch.syspath_prepend(ROOT / "workflow" / "scripts")
    return import_module("keep_reference")


def test_readme_shows_the_summary_of_the_reference(keeping: ModuleType) -> None:
    assert (ROOT / "README.md").read_text().count(keeping.summary()) == 1
    shown, whole = keeping.summary().splitlines()[1:-1], (REFERENCE / "summary.txt").read_text().splitlines()
    assert shown == whole[: len(shown)]
    assert shown[-1].startswith("Cooperation, beside scoring every pair,")


def test_the_manual_shows_tables_of_the_reference(keeping: ModuleType) -> None:
    with_tables = keeping.with_tables
    pages = [page.read_text() for page in (ROOT / "docs").glob("*.md")]
    assert any("<!-- table calibrated -->" in page for page in pages)
    assert pages == [with_tables(page) for page in pages]


def test_the_reference_holds_no_picture_of_the_photographs() -> None:
    figures = {path.name for path in (REFERENCE / "figures").iterdir()}
    pictures = [path for path in REFERENCE.rglob("*") if path.suffix in (".jpg", ".jpeg", ".png", ".html")]
    assert {path.name for path in pictures} <= figures


def test_the_reference_run_made_every_model_from_its_settings() -> None:
    for model in experiments.trained_models(CONFIG):
        found = read_json(REFERENCE / "models" / model / "model" / "provenance.json")
        objective = model.split("/")[2]
        assert Objective.model_validate_json(found.get("arguments", found)["settings"]) == CONFIG.objectives[objective]


def values(system: str, measure: str, direction: str, *, test_set: str = "test", depth: int = 0) -> list[float]:
    """One measure of each seed's models, on English captions, without fusion."""
    found = []
    for seed in CONFIG.seeds:
        folder = REFERENCE / "measures" / "oscar" / "scenes" / system / f"seed{seed}" / test_set
        table = pd.read_csv(folder / "measures.csv")
        chosen = table[(table["measure"] == measure) & (table["direction"] == direction) & (table["depth"] == depth)]
        found.append(float(chosen.loc[chosen["fusion"] == "none", "value"].item()))
    return found


def test_the_reference_bi_encoders_learned() -> None:
    images = CONFIG.datasets["scenes"].splits["test"]
    assert images >= 300
    assert min(values("be", "R@1", "text-to-image")) >= 20 * 100 / images


@pytest.mark.parametrize("pair", [("sep_coop", "be"), ("joint_coop", "joint_be")])
def test_the_reference_shows_that_re_ranking_beats_the_bi_encoder_on_every_seed(pair: tuple[str, str]) -> None:
    tests = pd.read_csv(REFERENCE / "comparisons.csv")
    chosen = tests[(tests["system_a"] == pair[0]) & (tests["system_b"] == pair[1]) & (tests["measure"] == "R@1")]
    chosen = chosen[(chosen["direction"] == "text-to-image") & (chosen["test_set"] == "test")]
    found = chosen[chosen["fusion"] == "none"].iloc[0]
    assert found["difference"] > 0
    assert found["p_value"] < 0.05
    assert found["seeds_of_sign"] == found["seeds"] == len(CONFIG.seeds)


@pytest.mark.parametrize("pair", [("sep_coop", "ce"), ("joint_coop", "joint_ce")])
def test_the_reference_cooperation_equals_the_exhaustive_cross_encoder_at_an_eighth_of_its_pairs(
    pair: tuple[str, str],
) -> None:
    coop, ce = pair
    cooperative = values(coop, "R@1", "text-to-image", test_set="exhaustive", depth=20)
    exhaustive = values(ce, "R@1", "text-to-image", test_set="exhaustive")
    assert fmean(cooperative) >= fmean(exhaustive) - 2
    assert CONFIG.datasets["scenes"].splits["exhaustive"] >= 8 * 20  # the depth


def test_the_reference_joint_model_equals_two_at_half_their_parameters() -> None:
    joint, separate = (fmean(values(system, "mR", "both", depth=20)) for system in ("joint_coop", "sep_coop"))
    assert joint >= separate - 2
    costs = pd.read_csv(REFERENCE / "latency" / "cost.csv").set_index("system")["parameters"]
    assert 2 * costs["joint_coop"] == costs["sep_coop"]


def test_the_reference_regions_cover_the_objects() -> None:
    for path in (REFERENCE / "regions" / "scenes").glob("*/recall.json"):
        found = read_json(path)
        assert found["recall"] >= 0.95, path
        assert found["most_regions"] <= 12
