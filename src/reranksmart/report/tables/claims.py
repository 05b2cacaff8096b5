"""The paper's claims as paired tests."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Entry, Kind, Reads
from reranksmart.report.labels import SHORT_DIRECTIONS, SYSTEM_LABELS, number, system_label
from reranksmart.report.leaks import leak_of, with_leaks
from reranksmart.report.paper import paper_numbers, paper_value
from reranksmart.report.reading import read_frame
from reranksmart.report.table import Cell, Column, Row, Table

if TYPE_CHECKING:
    import pandas as pd

_PAPER_DATASET = "MSCOCO 5k"


def claims_table(comparisons: pd.DataFrame, asked: Asked) -> Table:
    """The paper's claims as paired tests: one group a claim, one row a measure and seed.

    ``comparisons``: claim, system_a, system_b, test_set, seed, measure, direction, difference, low, high, p_value, queries and
    images. The paper's difference is that of its Table 1, on the dataset of the test set's label; on MSCOCO 5k where
    it has none.
    """
    columns = (
        Column("difference", "difference, points", unit="points"),
        Column("p_value", "p", unit="p", in_paper=False),
    )
    numbers, labels, names = paper_numbers(), asked.labels, dict(asked.test_sets)
    several = comparisons["seed"].nunique() > 1
    rows = []
    beside: list[str] = []  # the datasets of the paper's differences
    for line in comparisons.to_dict("records"):
        published = names.get(line["test_set"]) or _PAPER_DATASET
        column = line["measure"] if line["direction"] == "both" else f"{line['direction']} {line['measure']}"
        a, b = (
            paper_value(numbers, table="table1", row=line[name], column=column, dataset=published)
            for name in ("system_a", "system_b")
        )
        difference = Cell(
            value=line["difference"],
            low=line["low"],
            high=line["high"],
            paper=None if a is None or b is None else round(a - b, 2),
            **leak_of(line),
        )
        beside += [published] if difference.paper is not None else []
        systems = " − ".join(system_label(line[name], labels) for name in ("system_a", "system_b"))
        key = f"{line['system_a']} - {line['system_b']} {column}" + (f" seed {line['seed']}" if several else "")
        label = f"{systems}, {_column_label(column)}{_where(line, comparisons)}"
        rows.append(Row(key, label, (difference, Cell(value=line["p_value"])), group=line["claim"]))
    images = sorted(comparisons["images"].unique())
    shown = " and ".join(dict.fromkeys(beside)) or _PAPER_DATASET
    return Table(
        name=asked.name,
        title="The paper's claims, tested",
        caption="Difference in points of percent with its 95 % interval (bootstrap over images), and the two-sided p "
        "of a paired permutation test that swaps the two systems for all queries of an image at once. "
        f"n = {' or '.join(f'{count:,}' for count in images)} images. Each p is that of its own test alone, not adjusted for "
        f"all {len(rows)} of them. A large p does not show that two systems are equal: the interval says how far apart they "
        "may lie.",
        header="comparison",
        columns=columns,
        rows=tuple(rows),
        dataset=shown if beside and set(beside) <= set(names.values()) else asked.dataset,
        paper_dataset=shown,
    )


def _where(line: Mapping[Hashable, object], comparisons: pd.DataFrame) -> str:
    """The test set and seed of a comparison, where there are several."""
    test_set = f" on {line['test_set']}" if comparisons["test_set"].nunique() > 1 else ""
    return test_set + (f", seed {line['seed']}" if comparisons["seed"].nunique() > 1 else "")


def _column_label(column: str) -> str:
    return column.replace("text-to-image", "IR").replace("image-to-text", "TR")


def verdicts(comparisons: pd.DataFrame, *, labels: Mapping[str, str] = SYSTEM_LABELS, level: float = 0.05) -> list[str]:
    """A sentence for R@1 in each direction of a comparison: by how much, and whether luck would explain it."""
    chosen = comparisons[comparisons["measure"] == "R@1"]
    sentences = []
    for line in chosen.to_dict("records"):
        a, b = (system_label(line[name], labels) for name in ("system_a", "system_b"))
        points = round(line["difference"], 1)
        lies = f"{abs(points):.1f} points {'above' if points > 0 else 'below'}" if points else "level with"
        p = f"p {number(line['p_value'], 'p')}" if line["p_value"] < 0.001 else f"p = {number(line['p_value'], 'p')}"
        where = _where(line, comparisons)
        luck = "" if line["p_value"] < level else ", not significant"
        direction = SHORT_DIRECTIONS[line["direction"]]
        sentences.append(f"{a} lies {lies} {b} in {direction} R@1{where} ({p}{luck}).")
    return sentences


def read_comparisons(files: Sequence[Path], asked: Asked) -> pd.DataFrame:
    return with_leaks(read_frame(files, asked), map(Path, asked.audits))


KIND = Kind(
    Entry,
    reads=(Reads(lambda places: ["results/comparisons.csv"], "comparisons.csv", read_comparisons),),
    make=claims_table,
    requires="comparisons",
)
