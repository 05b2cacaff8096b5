"""The drawing of the rules in the manual is that of the workflow as it is."""

from __future__ import annotations

import re

from running import ROOT, snakemake

DRAWING = ROOT / "docs" / "rulegraph.svg"


def test_the_manual_draws_the_rules_of_the_default_as_they_need_each_other() -> None:
    """Renew it by ``snakemake --rulegraph | dot -Tsvg > docs/rulegraph.svg``."""
    graph = snakemake(ROOT, "--rulegraph").stdout
    rules = dict(re.findall(r'^\s*(\d+)\[label = "(\w+)"', graph, re.MULTILINE))
    asked = {(rules[a], rules[b]) for a, b in re.findall(r"^\s*(\d+) -> (\d+)$", graph, re.MULTILINE)}
    svg = DRAWING.read_text()
    names = dict(re.findall(r'class="node">\s*<title>(\d+)</title>.*?<text[^>]*>(\w+)</text>', svg, re.DOTALL))
    drawn = {(names[a], names[b]) for a, b in re.findall(r"<title>(\d+)&#45;&gt;(\d+)</title>", svg)}
    assert len(asked) > 40
    assert drawn == asked
