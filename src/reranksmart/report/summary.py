"""The run in a few numbers: for the top of the page, and for the terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from reranksmart.report.rendering import best, interval_text, leak_notes, value_text
from reranksmart.report.table import Table

_KINDS = (frozenset({"retriever"}), frozenset({"retriever", "reranker"}), frozenset({"reranker"}))
_ROWS_TOLD = 4
_SHORT = ("text-to-image R@1", "image-to-text R@1", "mR")


@dataclass(frozen=True)
class Fact:
    """One number worth reading first."""

    label: str
    value: str
    interval: str


def facts(main: Table, roles: Mapping[str, Mapping[str, str]]) -> list[Fact]:
    """Text-to-image R@1 of the first retriever alone, the first and the last system that re-rank what it finds, and the
    first that scores every pair; none where the table has no such column. ``roles``: of each system, the model of each."""
    keys = [column.key for column in main.columns]
    if _SHORT[0] not in keys:
        return []
    place = keys.index(_SHORT[0])
    rows = {row.key: row for row in reversed(main.rows) if row.cells[place].value is not None}  # the first one counts
    names = [name for name in dict.fromkeys(row.key for row in main.rows) if name in rows]
    asked = {kind: [name for name in names if frozenset(roles.get(name, ())) == kind] for kind in _KINDS}
    alone, both, exhaustive = (asked[kind] for kind in _KINDS)
    systems = dict.fromkeys([*alone[:1], *both[:1], *both[-1:], *exhaustive[:1]])
    return [
        Fact(
            label=rows[system].label + (f" ({rows[system].group})" if _is_apart(main, system) else ""),
            value=value_text(rows[system].cells[place], main.columns[place]),
            interval=interval_text(rows[system].cells[place], main.columns[place]),
        )
        for system in systems
    ]


def headline(table: Table) -> str:
    """A table in one line: its title and its best system by the first column that has one, else its first rows' values in
    the first column that is no count, or in the last."""
    if winners := best(table):
        place, column = min(winners, key=lambda found: (found[1], found[0]))
        row, about = table.rows[place], table.columns[column]
        value = f"{value_text(row.cells[column], about)} {interval_text(row.cells[column], about)}".rstrip()
        label = f"{row.group}, {row.label}" if row.group else row.label
        return f"{table.title}: {label}, {about.label}: {value}"
    filled = [
        (about, rows)
        for column, about in enumerate(table.columns)
        if (rows := [row for row in table.rows if (cell := row.cells[column]).value is not None or cell.text])
    ]
    if not filled:
        return f"{table.title}: nothing was measured"
    about, rows = next((found for found in filled if found[0].unit != "count"), filled[-1])
    place = table.columns.index(about)
    told = "; ".join(f"{row.label}: {value_text(row.cells[place], about)}" for row in rows[:_ROWS_TOLD])
    return f"{table.title}: {about.label}: {told}"


def _is_apart(main: Table, system: str) -> bool:
    """Whether the system was measured in a later group only: other queries than the first group's."""
    first = main.rows[0].group
    return all(row.group != first or row.cells[0].value is None for row in main.rows if row.key == system)


def summary_text(main: Table, sentences: Sequence[str] = (), *, where: str = "") -> str:
    """The main table's R@1 and mR as plain text, then a line a sentence; ``where`` says where the rest is."""
    places = [place for place, column in enumerate(main.columns) if column.key in _SHORT]
    lines: list[list[str]] = []
    group = ""
    for row in main.rows:
        if all(row.cells[place].value is None for place in places):
            continue
        if row.group != group:
            group = row.group
            lines.append([f"{group}:"])
        cells = ((row.cells[place], main.columns[place]) for place in places)
        lines.append([row.label, *(f"{value_text(*cell)} {interval_text(*cell)}".rstrip() for cell in cells)])
    headers = [main.header, *(main.columns[place].label for place in places)]
    body = tabulate(lines, headers=headers, tablefmt="simple", disable_numparse=True)
    remarks = [*leak_notes(main), ""] if leak_notes(main) else []
    return "\n".join([main.title, "", body, "", *remarks, *sentences, *([where] if where else [])]) + "\n"
