"""What each table of the paper's configuration costs: `python workflow/scripts/paper_cost.py` puts it into docs/paper.md.

Counts come from the plan, speeds from benchmarks/results/rates.json (one core) and the paper's Table 4 (one V100).
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from tabulate import tabulate

from reranksmart.config.schema import Config
from reranksmart.config.validation import validated
from reranksmart.plan import entries, resources, sizes, work
from reranksmart.plan import jobs as planned_jobs
from reranksmart.values.gallery import Gallery

ROOT = Path(__file__).parent.parent.parent
PAPER = ROOT / "workflow" / "configs" / "paper.yaml"
PAGE = ROOT / "docs" / "paper.md"
RATES = ROOT / "benchmarks" / "results" / "rates.json"
MARKED = re.compile(r"(<!-- cost -->\n).*?(<!-- /cost -->)", re.DOTALL)
HEADERS = ("table", "trainings", "million pairs scored", "V100, hours", "one core, days", "disk, GB", "memory, GB")
REGION_BYTES = 2 * 2048 + 4 * 4  # a feature in float16, a box in float32
RANKED_BYTES = 2 * (4 + 4)  # of an exhaustive ranking: item and score, in both directions


def row(config: Config, name: str, jobs: Iterable[planned_jobs.Job], *, core_tflops: float) -> list[str]:
    """One line of the table."""
    chosen = [(rule, SimpleNamespace(**dict(keys))) for rule, keys in jobs]
    tflop = sum(resources.tflop(config, rule, keys) for rule, keys in chosen)
    pairs = sum(_pairs(config, rule, keys) for rule, keys in chosen)
    splits = {place for rule, keys in chosen for place in _splits(config, rule, keys)}
    disk = sum(_output_bytes(config, rule, keys) for rule, keys in chosen)
    disk += sum(sizes.images_of(config, *place) * sizes.IMPORTED_REGIONS * REGION_BYTES for place in splits)
    memory = max(resources.memory_mb(config, rule, keys) for rule, keys in chosen)
    trainings = sum(rule == "train" for rule, _ in chosen)
    hours, days = tflop / resources.V100_TFLOP_A_SECOND / 3600, tflop / core_tflops / 86400
    return [name, str(trainings), *map(_two_digits, (pairs / 1e6, hours, days, disk / 1e9, memory / 1e3))]


def _pairs(config: Config, rule: str, keys: Any) -> int:
    if rule == "score_all":
        return work.all_pairs(config, keys)
    return work.candidate_pairs(config, keys) if rule == "score_candidates" else 0


def _splits(config: Config, rule: str, keys: Any) -> list[tuple[str, str]]:
    """The splits whose regions a job reads."""
    if rule == "train":
        chosen = config.training_sets[keys.training_set]
        return [(chosen.dataset, chosen.split), (chosen.dataset, chosen.dev_split)]
    if rule == "encode":
        return [(keys.dataset, keys.split)]
    return list(Gallery.parse(keys.gallery).places) if rule.startswith("score_") else []


def _output_bytes(config: Config, rule: str, keys: Any) -> int:
    """A model's weights, a split's embeddings, or an exhaustive ranking; candidates and measures are small."""
    if rule == "train":
        return 4 * sizes.shape(config, keys.backbone).parameters
    if rule == "encode":
        return sizes.vectors_bytes(
            config, keys.backbone, sizes.items_of(config, keys.backbone, keys.dataset, keys.split)
        )
    return RANKED_BYTES * work.all_pairs(config, keys) if rule == "score_all" else 0


def _two_digits(value: float) -> str:
    return f"{float(f'{value:.2g}'):,.10g}"


def cost_table(config: Config, rates: dict[str, Any]) -> str:
    """A row for each table that models are run for, and one for all of them, in which nothing counts twice."""
    pair_tflop = 2 * sizes.Shape().trunk * (sizes.CAPTION_TOKENS + sizes.IMPORTED_REGIONS) / 1e12
    core_tflops = rates["stages"]["pairs"]["a_second"]["float32"] * pair_tflop
    jobs = {
        name: planned_jobs.jobs_of(config, entries.experiments_of(config, config.tables[name]))
        for name in entries.measured(config)
    }
    jobs["all of them"] = set().union(*jobs.values())
    rows = [row(config, name, found, core_tflops=core_tflops) for name, found in jobs.items()]
    return tabulate(rows, headers=HEADERS, tablefmt="github", disable_numparse=True)


def written() -> str:
    """The page with the table as it is now."""
    table = cost_table(validated(yaml.safe_load(PAPER.read_text())), json.loads(RATES.read_text()))
    return MARKED.sub(lambda found: f"{found[1]}{table}\n{found[2]}", PAGE.read_text())


if __name__ == "__main__":
    PAGE.write_text(written())
