"""The verb that compares systems with paired tests."""

import json
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from reranksmart.cli.options import Resamples
from reranksmart.cli.verb import verb
from reranksmart.config.experiments import Comparison
from reranksmart.evaluation.per_query import read_per_query
from reranksmart.evaluation.significance import compare_r_at_1_and_mr
from reranksmart.files.writing import atomic_path


@verb()
def compare_verb(
    measures: Annotated[Path, typer.Option(help="folder of all measures")],
    comparisons: Annotated[str, typer.Option(help="list of comparisons as JSON, each with its language")],
    seeds: Annotated[str, typer.Option(help="separated by commas")],
    depth: Annotated[int, typer.Option(help="depth at which re-ranking systems are compared")],
    output: Annotated[Path, typer.Option()],
    permutations: Resamples = 10_000,
    resamples: Resamples = 1000,
) -> None:
    """Paired tests of the systems that the paper compares, over all seeds: R@1 of both directions, and mR."""
    rows, numbers = [], [int(seed) for seed in seeds.split(",")]
    for fields in json.loads(comparisons):
        language = fields.pop("language")
        comparison = Comparison(**fields)
        first, second = (
            [read_per_query(_per_query_file(measures, comparison, system, seed, language, depth)) for seed in numbers]
            for system in comparison.systems
        )
        asked = {
            **comparison.model_dump(exclude={"systems"}),
            **dict(zip(("system_a", "system_b"), comparison.systems, strict=True)),
        }
        runs = list(zip(first, second, strict=True))
        found = compare_r_at_1_and_mr(runs, seed=numbers[0], draws=permutations, resamples=resamples)
        rows += [{**asked, **vars(one)} for one in found]
    with atomic_path(output) as target:
        pd.DataFrame(rows).to_csv(target, index=False)


def _per_query_file(measures: Path, comparison: Comparison, system: str, seed: int, language: str, depth: int) -> Path:
    folder = measures / comparison.backbone / comparison.training_set / system / f"seed{seed}" / comparison.test_set
    for name in (f"{language}.{depth}.{comparison.fusion}.csv", f"{language}.0.none.csv"):
        if (folder / "per_query" / name).exists():
            return folder / "per_query" / name
    raise ValueError(
        f"{folder} holds no measures at depth {depth} with fusion {comparison.fusion!r}; list this depth in an experiment of {system!r}"
    )
