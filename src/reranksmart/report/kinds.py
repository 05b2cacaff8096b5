"""What a kind of table or figure is: what a configuration may say of it, what it reads, and how it is made.

A module of ``report/tables`` or ``report/figures`` is one kind, called as the module is; ``KIND`` is all of it.
"""

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import Field

from reranksmart.report.asked import Asked
from reranksmart.values.settings import Frozen, Names


class Entry(Frozen):
    """A table or figure that a configuration has, by its name."""


class OfExperiments(Entry):
    experiments: Names = Field(description="what it shows; the first one says at which depth and in which language")


class TableOfExperiments(OfExperiments):
    title: str | None = Field(None, description="null: the kind's, with the label of the test set")
    paper: str | None = Field(
        "auto",
        description="dataset whose values of the paper stand beside; auto: that of the test set's label, if the backbone is "
        "the paper's; null: none",
    )
    published: tuple[str, ...] = Field(
        (), description="published results that stand beside, by their row in table field of paper_numbers.csv"
    )


@dataclass(frozen=True)
class Reads:
    """One of the inputs of a kind: where the plan finds it, and what its files hold."""

    paths: Callable[[Any], Sequence[str]]
    """Of the plan's ``Places`` of an entry: folders with ``file``, or the files themselves."""
    file: str
    load: Callable[[Sequence[Path], Asked], Any]

    def of(self, inputs: Sequence[Path], asked: Asked) -> Any:
        """What the files among ``inputs`` hold; ValueError where there is none."""
        found = [path if path.is_file() else path / self.file for path in inputs]
        found = [path for path in found if path.match(self.file) and path.is_file()]
        if not found:
            raise ValueError(
                f"{asked.name}: no {self.file} among {[str(path) for path in inputs]}; make it by its rule: "
                f"snakemake --cores all --forcerun tabulate plot."
            )
        return self.load(found, asked)


@dataclass(frozen=True)
class Kind:
    settings: type[Entry]
    reads: tuple[Reads, ...]
    make: Callable[..., Any]
    """Of what each of ``reads`` holds, and of what was asked."""
    requires: str = ""
    """The key of the configuration without which there is nothing to show."""
    shows: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)
    """How few and how many training sets or test sets it has cells for; one where it does not say."""
    check: Callable[[Any, str, Any], None] | None = None
    """Of the whole configuration, the key's path and the entry: ValueError where it cannot be shown."""
    papers_backbone: str = "oscar"
    """The embedder of the backbone whose values the paper gives."""
    about: str = ""
    """What it shows: the first line of its module's docstring."""
    names_all_test_sets: bool = False
    """Whether it is about all of its test sets alike, not about the first."""


@cache
def table_kinds() -> Mapping[str, Kind]:
    """Every kind of table by its name."""
    return _kinds("reranksmart.report.tables")


@cache
def figure_kinds() -> Mapping[str, Kind]:
    """Every kind of figure by its name."""
    return _kinds("reranksmart.report.figures")


def _kinds(package: str) -> dict[str, Kind]:
    names = sorted(module.name for module in pkgutil.iter_modules(import_module(package).__path__))
    modules = {name: import_module(f"{package}.{name}") for name in names}
    return {name: replace(found.KIND, about=(found.__doc__ or "").strip()) for name, found in modules.items()}
