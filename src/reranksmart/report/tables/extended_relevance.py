"""Relevance judged beyond the described image: ECCV Caption and CxC (beyond the paper)."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, Reads, TableOfExperiments
from reranksmart.report.labels import WAYS
from reranksmart.report.reading import read_measures
from reranksmart.report.scope import by_system, sizes
from reranksmart.report.table import Column, Table
from reranksmart.values.frames import Frame
from reranksmart.values.recalls import EXTENDED_MEASURES

_ABOUT: Mapping[str, tuple[str, str]] = {
    "eccv_caption": (
        "ECCV Caption: relevance judged beyond the described image",
        "R is the number of a query's relevant items (Chun et al. 2022): R-Precision is their share among the first R, "
        "mAP@R the mean precision at those of the first R that are relevant.",
    ),
    "cxc": (
        "CxC: relevance judged beyond the described image",
        "R@K counts a query as answered if any item judged relevant is among the first K (Parekh et al. 2021).",
    ),
}


class Settings(TableOfExperiments):
    collection: Literal["eccv_caption", "cxc"] = Field(description="of judgements")


def extended_table(measures: Frame, asked: Asked) -> Table:
    """A row for each system and depth k; whether re-ranking helps by these judgements shows beside its retriever."""
    collection = asked.settings["collection"]
    (title, sentence), names = _ABOUT[collection], EXTENDED_MEASURES[collection]
    chosen = asked.rows(measures, "depth")
    columns = tuple(Column(f"{way} {name}", f"{short} {name}") for way, short in WAYS.items() for name in names)
    rows = []
    for system, found in by_system(chosen, asked.systems):
        for depth in sorted(found["depth"].unique()) or [None]:
            of_depth = found if depth is None else found[found["depth"] == depth]
            rows.append(asked.row(of_depth, system, columns, depth=depth, paper_key=""))
    return asked.table(
        title,
        columns,
        rows,
        f"In percent; IR: text-to-image, TR: image-to-text. {sentence} Items below the k that are re-ranked keep "
        f"the retriever's order. {sizes(chosen)} Not in the paper.",
    )


def require_judged(config: Any, path: str, entry: Settings) -> None:
    """ValueError where a test set is not measured by the judgements."""
    for name in entry.experiments:
        tested = config.experiments[name].test_sets
        if lacking := [t for t in tested if entry.collection not in config.test_sets[t].extended_relevance]:
            raise ValueError(
                f"experiments.{name}: {path} shows {entry.collection}, by which test sets {lacking} are not measured; write "
                f"extended_relevance: [{entry.collection}] into them, or take others"
            )


_JUDGED = Reads(lambda of: of.measures(f"extended_measures/{of.entry.collection}"), "measures.csv", read_measures)
KIND = Kind(Settings, reads=(_JUDGED,), make=extended_table, check=require_judged)
