"""The manual's table of what the paper costs is the one that its configuration gives today."""

import importlib.util
from pathlib import Path

import yaml

from reranksmart.config.validation import validated
from reranksmart.plan import entries
from reranksmart.plan import jobs as planned_jobs

ROOT = Path(__file__).parent.parent
SPEC = importlib.util.spec_from_file_location("paper_cost", ROOT / "workflow/scripts/paper_cost.py")
paper_cost = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(paper_cost)
CONFIG = validated(yaml.safe_load(paper_cost.PAPER.read_text()))


def rows(table: str) -> dict[str, list[str]]:
    written = [line for line in table.splitlines() if line.startswith("|")][2:]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in written]
    return {first: rest for first, *rest in lines}


def test_readme_s_costs_are_those_of_the_configuration() -> None:
    assert paper_cost.written() == paper_cost.PAGE.read_text(), "run python workflow/scripts/paper_cost.py"


def test_all_tables_together_count_nothing_twice_and_train_every_model_once() -> None:
    found = rows(paper_cost.MARKED.search(paper_cost.PAGE.read_text())[0])
    assert found["all of them"][0] == str(25)
    alone = sum(int(row[0]) for name, row in found.items() if name != "all of them")
    assert alone > 25


def test_table_1_scores_the_pairs_of_two_exhaustive_cross_encoders() -> None:
    jobs = planned_jobs.jobs_of(CONFIG, entries.experiments_of(CONFIG, CONFIG.tables["table1_main"]))
    whole = [dict(keys) for rule, keys in jobs if rule == "score_all"]
    assert [(job["reranker"], job["gallery"]) for job in sorted(whole, key=lambda job: job["reranker"])] == [
        ("cross_encoder", "coco.test"),
        ("joint", "coco.test"),
    ]
    twice = 2 * 25_000 * 5_000 / 1e6
    pairs = float(paper_cost.row(CONFIG, "table1_main", jobs, core_tflops=0.1)[2])
    assert twice <= pairs <= 1.05 * twice
