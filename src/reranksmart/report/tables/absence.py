"""Beyond the paper: how often search says that nothing matches, where something does and where nothing does."""

from typing import Any

from pydantic import Field

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.labels import WAYS
from reranksmart.report.reading import measures
from reranksmart.report.scope import by_system, cell_of, sizes
from reranksmart.report.table import Column, Row, Table
from reranksmart.values.frames import Frame
from reranksmart.values.settings import Fraction


class Settings(TableOfExperiments):
    false_alarms: Fraction = Field(0.05, description="the rate that is shown, one of the configuration's")


def absence_table(measures: Frame, asked: Asked) -> Table:
    """Each system on each test set: the retriever decides by its cosine, a system that re-ranks by the log-odds."""
    rate = f"{100 * asked.settings['false_alarms']:g} %"
    columns = tuple(
        Column(f"{direction} {name} at {rate}", f"{short} {name}", in_paper=False)
        for direction, short in WAYS.items()
        for name in ("false alarms", "noticed")
    )
    columns += (Column("text-to-image Brier score", "IR Brier score", in_paper=False),)
    rows, chosen = [], asked.named_scope.rows(measures, free=["system", "test_set"])
    for test_set, label in asked.test_sets:
        on_set = chosen[chosen["test_set"] == test_set]
        rows += [
            Row(
                f"{system} {test_set}",
                asked.label(system),
                tuple(cell_of(found, column.key) for column in columns),
                group=label or test_set,
            )
            for system, found in by_system(on_set, asked.systems)
        ]
    first = chosen[chosen["test_set"] == asked.test_sets[0][0]]
    return asked.table(
        "Beyond the paper: nothing here matches",
        columns,
        rows,
        f"Search says so where the best candidate scores too low; how low is learned on dev, so that at most {rate} "
        "of the queries whose answer is there are told so (false alarms). Noticed: the share of the same queries that are "
        "told so once their right items are taken out of the gallery. In percent. Brier score: of the calibrated "
        "probability that the best candidate is right, over both, times 100; always answering one half has 25. "
        f"Re-ranking at k = {asked.named_scope.depth}. {sizes(first)}",
        header="searches",
    )


def require_measured(config: Any, path: str, entry: Settings) -> None:
    """ValueError where the rate is not measured, nothing retrieves, or candidates are not judged as deep as search does."""
    if entry.false_alarms not in config.false_alarms:
        raise ValueError(
            f"{path}.false_alarms is {entry.false_alarms:g}; the configuration measures {list(config.false_alarms)}. "
            "Take one of them, or add it to false_alarms."
        )
    for name in entry.experiments:
        experiment = config.experiments[name]
        if pointless := [
            system
            for system in experiment.systems
            if (own := config.systems[system]).retriever is None or own.neighbours
        ]:
            raise ValueError(
                f"experiments.{name}: {path} shows systems that retrieve to a fixed depth, and {pointless} do not; leave them out"
            )
        if config.depth not in experiment.depths:
            raise ValueError(
                f"experiments.{name}.depths: {path} judges the first {config.depth} candidates (depth), which are not among "
                f"{list(experiment.depths)}; add that depth"
            )


KIND = Kind(
    Settings,
    reads=(measures("absence"),),
    make=absence_table,
    shows={"test_sets": (1, None)},
    check=require_measured,
    names_all_test_sets=True,
)
