"""The commands that README, the manual and the Makefile print, and the configurations that pages give them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from running import ROOT
from snakemake.cli import parse_args

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:snakemake|reranksmart) [a-z-][^`]*|make(?: [^`]+)?)`")
_COMMENT = re.compile(r"\s+#.*$|^#.*$")
_ALIKE = {"targets", "cores", "dryrun", "printshellcmds", "max_jobs_per_timespan"}


def commands(page: Path) -> list[str]:
    """In blocks, and in tables and sentences."""
    text = page.read_text(encoding="utf-8")
    lines = [line for kind, block in BLOCK.findall(text) if kind == "sh" for line in block.splitlines()]
    found = [_COMMENT.sub("", line) for line in lines + _INLINE.findall(BLOCK.sub("", text))]
    return [command for command in dict.fromkeys(found) if command]


def overlays() -> dict[str, str]:
    """The configurations that name themselves in their first line, by that name."""
    blocks = [
        block for page in PAGES for kind, block in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == "yaml"
    ]
    return {named[1]: block for block in blocks if (named := re.match(r"# (\w+\.yaml)\n", block))}


@dataclass
class Plan:
    """One dry run for all commands that differ in their targets alone."""

    options: list[str]
    targets: dict[str, None]


def plans(elsewhere: set[str]) -> list[Plan]:
    """The dry runs that stand for all printed commands of Snakemake but those that are run elsewhere."""
    found: dict[tuple[object, ...], Plan] = {}
    usual = vars(parse_args([])[1])
    recipes = re.findall(r"^\t(snakemake .*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    printed = [command for page in PAGES for command in commands(page)]
    for command in [*printed, *(recipe.replace("$(CORES)", "all") for recipe in recipes)]:
        program, *words = shlex.split(command)
        if program != "snakemake" or command in elsewhere:
            continue
        asked = vars(parse_args(words)[1])
        differing = ((key, str(value)) for key, value in asked.items() if key not in _ALIKE and value != usual[key])
        plan = found.setdefault(tuple(differing), Plan([word for word in words if word not in asked["targets"]], {}))
        plan.targets |= dict.fromkeys(asked["targets"] or {"all"})
    return list(found.values())
