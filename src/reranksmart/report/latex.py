"""A table in LaTeX: whole, and compact for one column of a paper."""

import re

from tabulate import LATEX_ESCAPE_RULES

from reranksmart.report.rendering import LEAKED, best, interval_text, notes, one_line, paper_text, value_text
from reranksmart.report.table import Table

_SIGNS = {"–": "--", "±": "$\\pm$", "∞": "$\\infty$", "×": "$\\times$", "−": "$-$", "≥": "$\\ge$", LEAKED: "$\\dagger$"}
_SHRUNK = "\\resizebox{\\ifdim\\width>\\columnwidth\\columnwidth\\else\\width\\fi}{!}{%"


def latex(table: Table) -> str:
    """With intervals and the paper's values; what signs mean stands below. Needs booktabs."""
    caption = _escaped(" ".join([f"{_title(table)}.", table.caption]))
    below = [f"\\par\\smallskip\\footnotesize {_escaped(note)}" for note in notes(table)]
    return _float(table, ["\\usepackage{booktabs}"], [_tabular(table, whole=True), f"\\caption{{{caption}}}"], below)


def compact_latex(table: Table) -> str:
    """Values alone, no wider than a column, the title as caption. Needs booktabs and graphicx."""
    parts = [f"{_SHRUNK}\n{_tabular(table, whole=False)}}}", f"\\caption{{{_escaped(_title(table))}.}}"]
    return _float(table, ["\\usepackage{booktabs,graphicx}"], parts, [])


def _float(table: Table, needs: list[str], parts: list[str], below: list[str]) -> str:
    lines = [
        "\\begin{table}",
        *(f"% {line} in the preamble" for line in needs),
        "\\centering",
        *parts,
        f"\\label{{tab:{table.name}}}",
        *below,
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _title(table: Table) -> str:
    """Without the paper's number, which LaTeX counts itself."""
    title = re.sub(r"^Table \d+: ", "", table.title)
    return title[:1].upper() + title[1:]


def _tabular(table: Table, *, whole: bool) -> str:
    winners = best(table)
    sides = "".join("l" if column.unit == "words" else "r" for column in table.columns)
    headers = " & ".join(_escaped(name) for name in (table.header, *(column.label for column in table.columns)))
    lines = [f"\\begin{{tabular}}{{l{sides}}}", "\\toprule", f"{headers} \\\\", "\\midrule"]
    group = ""
    for place, row in enumerate(table.rows):
        if row.group != group:
            group = row.group
            lines += ["\\addlinespace"] * (place > 0)
            lines.append(f"\\multicolumn{{{len(table.columns) + 1}}}{{l}}{{\\emph{{{_escaped(group)}}}}} \\\\")
        cells = []
        for column, (cell, about) in enumerate(zip(row.cells, table.columns, strict=True)):
            value = _escaped(value_text(cell, about))
            value = f"\\textbf{{{value}}}" if (place, column) in winners else value
            cells.append(f"{value} {_escaped(interval_text(cell, about))}".rstrip() if whole else value)
        lines.append(" & ".join([_escaped(row.label), *cells]) + " \\\\")
        if whole and any(cell.paper is not None for cell in row.cells):
            values = (_escaped(paper_text(*pair)) for pair in zip(row.cells, table.columns, strict=True))
            lines.append(" & ".join([f"{_escaped(row.label)} (paper)", *values]) + " \\\\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"])


def _escaped(text: str) -> str:
    text = "".join(LATEX_ESCAPE_RULES.get(letter, letter) for letter in one_line(text))
    for sign, command in _SIGNS.items():
        text = text.replace(sign, command)
    return text
