"""The paper's claims as paired tests."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Entry, Kind, Reads
from reranksmart.report.labels import fusion_label, plural, system_label
from reranksmart.report.leaks import leak_of, with_leaks
from reranksmart.report.paper import paper_numbers, paper_value
from reranksmart.report.reading import read_frame
from reranksmart.report.table import Cell, Column, Row, Table
from reranksmart.values.frames import Frame

_PAPER_DATASET = "MSCOCO 5k"


def claims_table(comparisons: Frame, asked: Asked) -> Table:
    """The paper's claims as paired tests: one group a claim, one row a measure.

    ``comparisons``: claim, system_a, system_b, test_set, measure, direction, difference, low, high, p_value, queries,
    images, seeds and seeds_of_sign. The paper's difference is that of its Table 1, on the dataset of the test set's label; on MSCOCO 5k where
    it has none.
    """
    seeds = int(comparisons["seeds"].max())
    columns = (
        Column("difference", "difference, points", unit="points"),
        Column("p_value", "p", unit="p", in_paper=False),
        Column("p_adjusted", "p, Holm", unit="p", in_paper=False),
        *((Column("seeds_of_sign", "seeds of this sign", unit="count", in_paper=False),) if seeds > 1 else ()),
    )
    numbers, labels, names = paper_numbers(), asked.labels, dict(asked.test_sets)
    rows = []
    beside: list[str] = []  # the datasets of the paper's differences
    for line in adjusted(comparisons).to_dict("records"):
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
            paper=None if a is None or b is None or joined(line) else round(a - b, 2),
            **leak_of(line),
        )
        beside += [published] if difference.paper is not None else []
        systems = " − ".join(system_label(line[name], labels) for name in ("system_a", "system_b"))
        key = f"{line['system_a']} - {line['system_b']} {column}"
        label = ", ".join([systems, _column_label(column), *joined(line), *_where(line, comparisons, asked.words)])
        cells = [difference, *(Cell(value=line[key]) for key in ("p_value", "p_adjusted"))]
        cells += [Cell(text=f"{line['seeds_of_sign']} of {seeds}")] if seeds > 1 else []
        rows.append(Row(key, label, tuple(cells), group=line["claim"]))
    images = sorted(comparisons["images"].unique())
    shown = " and ".join(dict.fromkeys(beside)) or _PAPER_DATASET
    own = replace(asked, dataset=shown) if beside and set(beside) <= set(names.values()) else asked
    return own.table(
        "The paper's claims, tested",
        columns,
        rows,
        f"Difference in points of percent with its 95 % interval, and two-sided p. {_METHODS[seeds > 1]} "
        f"n = {' or '.join(f'{count:,}' for count in images)} images, {plural(seeds, 'seed')}. p is of one test alone; p, Holm "
        f"is adjusted for all {len(rows)} of them. A large p does not show that two systems are equal: the interval says how far apart they "
        "may lie.",
        header="comparison",
        paper=("", shown),
    )


_METHODS = {
    False: "The interval is a bootstrap over images, p of a paired permutation test that swaps the two systems for all "
    "queries of an image at once: both are about these trained models, not about other seeds.",
    True: "Both are of a hierarchical bootstrap: images are drawn with all their queries and seeds, the seeds' part of the "
    "error from Student's t, so that they hold for other images and other seeds.",
}


def adjusted(comparisons: Frame) -> Frame:
    """The comparisons with a column ``p_adjusted``, for all of them together."""
    from reranksmart.evaluation.significance import holm

    return comparisons.assign(p_adjusted=holm(comparisons["p_value"].tolist()))


def joined(line: Mapping[Any, Any]) -> list[str]:
    """How the systems of a comparison join their scores, where they do."""
    fusion = line.get("fusion", "none")
    return [] if fusion == "none" else [fusion_label(fusion)]


def _where(line: Mapping[Hashable, object], comparisons: Frame, words: Mapping[str, str]) -> list[str]:
    """The test set of a comparison, where there are several that are called something."""
    said = words.get(str(line["test_set"]), str(line["test_set"]))
    return [said] if said and comparisons["test_set"].nunique() > 1 else []


def _column_label(column: str) -> str:
    return column.replace("text-to-image", "IR").replace("image-to-text", "TR")


def read_comparisons(files: Sequence[Path], asked: Asked) -> Frame:
    return with_leaks(read_frame(files, asked), map(Path, asked.audits))


KIND = Kind(
    Entry,
    reads=(Reads(lambda places: ["results/comparisons.csv"], "comparisons.csv", read_comparisons),),
    make=claims_table,
    requires="comparisons",
)
