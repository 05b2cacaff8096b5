"""One self-contained HTML page with everything: it opens from disk, on a phone, in the dark, without a network."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reranksmart.files.writing import atomic_path
from reranksmart.report.pictures import Example
from reranksmart.report.plots import SavedPlot
from reranksmart.report.rendering import (
    UNKNOWN_CELLS,
    UNKNOWN_TO_US,
    best,
    interval_text,
    notes,
    paper_text,
    value_text,
)
from reranksmart.report.summary import Fact
from reranksmart.report.table import Table


def render_page(
    *,
    title: str,
    subtitle: str = "",
    facts: Sequence[Fact] = (),
    facts_label: str = "",
    headline: Sequence[str] = (),
    claims: Sequence[str] = (),
    tables: Sequence[Table] = (),
    figures: Sequence[SavedPlot] = (),
    examples: Sequence[Example] = (),
    method: Sequence[str] = (),
    provenance: Sequence[Mapping[str, Any]] = (),
    trainings: Sequence[Mapping[str, str]] = (),
    libraries: Sequence[str] = (),
    steps: Sequence[Mapping[str, str]] = (),
    files: Sequence[str] = (),
) -> str:
    """The page as HTML.

    ``facts`` (numbers, with what they are in ``facts_label``) and ``headline`` (sentences) come first, then ``claims``,
    folded away; ``method`` is a list of paragraphs; ``provenance`` a list of mappings with the same keys, one row each, and
    so are the settings of ``trainings`` and the ``steps`` of the run. ``files``: tables that lie beside it in tables/.
    """
    columns = list(dict.fromkeys(key for row in provenance for key in row))
    environment = Environment(
        loader=PackageLoader("reranksmart.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shared = shared_sentences([said_of(table) for table in tables])
    environment.globals |= {
        "best": best,
        "own": lambda table: [said for said in sentences(said_of(table)) if said not in shared],
        "value_text": value_text,
        "interval_text": interval_text,
        "paper_text": paper_text,
        "inline": inline_svg,
    }
    return environment.get_template("page.html").render(
        title=title,
        subtitle=subtitle,
        facts=facts,
        facts_label=facts_label,
        headline=headline,
        claims=claims,
        tables=tables,
        figures=figures,
        examples=examples,
        method=method,
        provenance=provenance,
        provenance_columns=columns,
        trainings=trainings,
        libraries=libraries,
        steps=steps,
        shared=shared,
        files=set(files),
    )


def said_of(table: Table) -> list[str]:
    """Its caption and notes; the page shows no sign where the paper's value is not known."""
    unknown = f"A value of the paper that is not shown is {UNKNOWN_TO_US}."
    return [said.replace(UNKNOWN_CELLS, unknown) for said in (table.caption, *notes(table))]


def sentences(texts: Iterable[str]) -> list[str]:
    return [said for text in texts for said in re.split(r"(?<=\.) (?=[A-Z–†*]|n =)", text)]


def shared_sentences(captions: Sequence[Sequence[str]]) -> list[str]:
    """What three captions or more say in the same words, to be said once; what is said of one table alone stays there."""
    told = [said for caption in captions for said in dict.fromkeys(sentences(caption))]
    return [
        said
        for said in dict.fromkeys(told)
        if told.count(said) > 2 and not re.search("this table|Not in the paper", said)
    ]


def write_page(path: Path, html: str) -> None:
    with atomic_path(path) as target:
        target.write_text(html, encoding="utf-8")


def inline_svg(plot: SavedPlot) -> Markup:
    """The figure's drawing for the page: its own ids, scaled to the column, named for who cannot see it."""
    drawing = plot.svg[plot.svg.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", drawing, count=1)
    drawing = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", drawing, count=1)
    drawing = re.sub(r'\bid="', f'id="{plot.name}-', drawing)
    drawing = re.sub(r'(href="|url\()#', rf"\1#{plot.name}-", drawing)
    label = Markup.escape(f"{plot.title}. {plot.caption}")
    return Markup(drawing.replace("<svg", f'<svg role="img" aria-label="{label}"', 1))
