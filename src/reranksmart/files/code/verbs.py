"""Which verbs there are, read from the source of ``cli`` without running it: naming them all must load no torch."""

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

_CLI = Path(__file__).parents[2] / "cli"


class Verb(NamedTuple):
    """Where a verb is written, and what it says of itself."""

    module: str
    function: str
    summary: str
    """The first paragraph of its docstring."""
    by_hand: bool
    """Whether people call it; otherwise the workflow's rules do."""


@cache
def verbs() -> dict[str, Verb]:
    """Every verb by its name."""
    found = {}
    for path in sorted(_CLI.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "\n@verb" not in text:
            continue
        for node in ast.parse(text).body:
            decorator = _decorator(node)
            if isinstance(node, ast.FunctionDef) and decorator is not None:
                by_hand = any(keyword.arg == "by_hand" for keyword in decorator.keywords)
                summary = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
                found[verb_name(node.name)] = Verb(f"reranksmart.cli.{path.stem}", node.name, summary, by_hand)
    return found


def verb_name(function: str) -> str:
    """The verb that a function of ``cli`` is: ``score_all_verb`` is ``score-all``."""
    return function.removesuffix("_verb").replace("_", "-")


def _decorator(node: ast.stmt) -> ast.Call | None:
    """The call ``@verb(...)`` over a function."""
    for call in getattr(node, "decorator_list", ()):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "verb":
            return call
    return None
