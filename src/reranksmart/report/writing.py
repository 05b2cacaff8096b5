"""A table written in every form."""

import json
from dataclasses import asdict
from pathlib import Path

from reranksmart.files.writing import atomic_path
from reranksmart.report.latex import compact_latex, latex
from reranksmart.report.rendering import markdown, tidy
from reranksmart.report.table import Table


def write_table(table: Table, folder: Path) -> None:
    """Writes ``{name}.csv`` (tidy), ``.md``, ``.tex``, ``.compact.tex`` and ``.json`` (whole, for ``read_written_table``)."""
    texts = {
        "csv": tidy(table).to_csv(index=False),
        "md": markdown(table),
        "tex": latex(table),
        "compact.tex": compact_latex(table),
        "json": json.dumps(asdict(table), indent=1, ensure_ascii=False) + "\n",
    }
    for suffix, text in texts.items():
        with atomic_path(folder / f"{table.name}.{suffix}") as target:
            target.write_text(text, encoding="utf-8")
