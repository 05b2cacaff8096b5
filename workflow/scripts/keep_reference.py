"""Keeps a finished run of the embedded default: `make reference` copies its tables, figures and measures to
results/reference/ and puts its summary into README.md, its tables into the manual. Photographs and what shows them stay
out."""

import re
import shutil
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
RESULTS, REFERENCE = ROOT / "results", ROOT / "results" / "reference"
WHOLE = (
    "tables",
    "figures",
    "measures",
    "twins",
    "latency",
    "index_recall",
    "pair_costs",
    "precision",
    "rates",
    "audits",
)
"""Folders of results; a configuration makes those that its tables and figures need."""
FILES = (
    "comparisons.csv",
    "deviations.csv",
    "summary.txt",
    "data/scenes/audit.json",
    "regions/scenes/test/recall.json",
)
MARKED = re.compile(r"(<!-- summary -->\n).*?(<!-- /summary -->)", re.DOTALL)
SHOWN = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- /table -->)", re.DOTALL)


def keep() -> None:
    shutil.rmtree(REFERENCE, ignore_errors=True)
    for name in filter(lambda name: (RESULTS / name).is_dir(), WHOLE):
        shutil.copytree(RESULTS / name, REFERENCE / name, ignore=shutil.ignore_patterns("per_query", "*.pdf"))
    recalls = (path.relative_to(RESULTS).as_posix() for path in (RESULTS / "regions").glob("*/*/recall.json"))
    for name in (*FILES, *recalls):
        (REFERENCE / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(RESULTS / name, REFERENCE / name)
    shutil.copy(ROOT / "config.yaml", REFERENCE / "config.yaml")
    for model in (RESULTS / "models").glob("*/*/*/*/model"):
        target = REFERENCE / model.relative_to(RESULTS)
        target.mkdir(parents=True)
        for name in ("history.jsonl", "provenance.json"):
            shutil.copy(model / name, target)
    readme = ROOT / "README.md"
    readme.write_text(MARKED.sub(lambda found: f"{found[1]}{summary()}{found[2]}", readme.read_text()))
    for page in (ROOT / "docs").glob("*.md"):
        page.write_text(with_tables(page.read_text()))


def with_tables(page: str) -> str:
    """A page of the manual with the kept run's tables where it names them."""
    return SHOWN.sub(lambda found: f"{found[1]}{(REFERENCE / f'tables/{found[2]}.md').read_text()}{found[3]}", page)


def summary() -> str:
    """The headline table of the kept run and what its claims come to, as README shows them; not each claim."""
    lines = (REFERENCE / "summary.txt").read_text().partition("Everything else")[0].splitlines()
    text = "\n".join(takewhile(lambda line: "? " not in line, lines))
    return f"```text\n{text.rstrip()}\n```\n"


if __name__ == "__main__":
    keep()
