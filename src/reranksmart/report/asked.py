"""What the configuration says of one table or figure, as its maker needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reranksmart.report.labels import SYSTEM_LABELS, system_label
from reranksmart.report.scope import NOT_RUN, Scope, cell_of
from reranksmart.report.table import Column, Row, Table
from reranksmart.values.frames import Frame


@dataclass(frozen=True)
class Asked:
    """An entry of the configuration with what it refers to. Of an entry without experiments most of it is empty."""

    scope: Scope | None = None
    """The first experiment's: what the entry is about, unless it shows several."""
    name: str = ""
    kind: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    title: str | None = None
    """Instead of the kind's; None: the kind's, and ``about`` after it."""
    about: str = ""
    dataset: str = ""
    """What it was measured on, in the words of tables."""
    paper: str | None = "auto"
    """The dataset whose values of the paper stand beside; auto: the kind's; None: none."""
    published: Sequence[str] = ()
    systems: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=lambda: SYSTEM_LABELS)
    roles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Of each system, the model that retrieves and the one that re-ranks, where it has one."""
    clocks: Mapping[str, str] = field(default_factory=dict)
    """Of each system, the timed one that takes as long: itself, or the first that does the same on the same backbones."""
    training_sets: Mapping[str, float] = field(default_factory=dict)
    """The share of its dataset that each holds."""
    test_sets: Sequence[tuple[str, str]] = ()
    """With their names in tables, which may be empty."""
    words: Mapping[str, str] = field(default_factory=dict)
    """How each test set is called in a sentence; empty: plainly the test."""
    languages: Sequence[str] = ()
    backbones: Sequence[tuple[str, str]] = ()
    """Where there are several: each with the language of its rows."""
    seeds: int = 1
    audits: Sequence[str] = ()
    """Files on tests whose leak is allowed."""
    planned: Mapping[str, Any] | None = None

    def label(self, system: str, depth: float = 0) -> str:
        """The system's name, with its depth k where it re-ranks."""
        return system_label(system, self.labels, depth=int(depth))

    def rows(self, measures: Frame, *free: str, **instead: object) -> Frame:
        """The rows of its systems in the long table of measures, as ``Scope.rows`` chooses them."""
        found = self.named_scope.rows(measures, free=["system", *free], instead=instead)
        return found[found["system"].isin(self.systems)]

    def row(
        self,
        rows: Frame,
        system: str,
        columns: Sequence[Column],
        *,
        depth: float | None = None,
        missing: str = NOT_RUN,
        group: str = "",
        paper_key: str | None = None,
    ) -> Row:
        """The system's row, from ``rows`` of one experiment; of one depth where there are several."""
        key = system if depth is None else f"{system} k={depth:g}"
        found = rows[rows["system"] == system]
        cells = tuple(cell_of(found, column.key, missing=missing) for column in columns)
        return Row(key, self.label(system, depth or 0), cells, key if paper_key is None else paper_key, group)

    def table(
        self,
        title: str,
        columns: Sequence[Column],
        rows: Sequence[Row],
        caption: str,
        *,
        header: str = "system",
        paper: tuple[str, str] = ("", ""),
    ) -> Table:
        """Its table; ``paper`` is the one of the paper that it repeats, and the dataset that was measured there."""
        return Table(self.name, title, caption, header, tuple(columns), tuple(rows), self.dataset, *paper)

    @property
    def named_scope(self) -> Scope:
        if self.scope is None:
            raise ValueError(f"{self.name}: kind {self.kind!r} is made of experiments, and none is named")
        return self.scope

    @property
    def reranking(self) -> list[str]:
        """The systems that retrieve and re-rank."""
        return [system for system in self.systems if len(self.roles[system]) == 2]

    @property
    def exhaustive(self) -> list[str]:
        """The systems that score every pair."""
        return [system for system in self.systems if list(self.roles[system]) == ["reranker"]]

    def retriever_of(self, system: str) -> str | None:
        """The system that is the retriever of this one alone."""
        alone = {"retriever": self.roles[system].get("retriever")}
        return next((name for name in self.systems if self.roles[name] == alone), None)
