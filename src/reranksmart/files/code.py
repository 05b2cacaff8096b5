"""The digest of a verb's code: what a rule passes as a parameter, so that a real change of code reruns it."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

_ROOT = Path(__file__).parents[1]
# What cannot change an artefact: settings are passed as values, the others only report.
_WITHOUT_EFFECT = frozenset({"config", "code", "observation", "progress", "provenance"})


@cache
def code_digest(*modules: str) -> str:
    """A digest of the syntax trees of ``modules`` and all modules of this package that they import.

    Comments, docstrings and layout do not count, so that they rerun nothing.
    """
    digest = hashlib.sha256()
    for name in sorted(_imported(modules)):
        if _WITHOUT_EFFECT.intersection(name.split(".")):
            continue
        digest.update(f"{name}\n{_read(name).meaning}\n".encode())
    return digest.hexdigest()[:16]


def _imported(modules: Iterable[str]) -> set[str]:
    """The modules and all modules of this package that they import, and those that these import."""
    found, waiting = set(modules), list(modules)
    while waiting:
        new = _read(waiting.pop()).imports - found
        found |= new
        waiting += new
    return found


class _Module(NamedTuple):
    meaning: str  # the syntax tree as text, without docstrings
    imports: frozenset[str]  # of this package


@cache
def _read(module: str) -> _Module:
    """The module, in one walk: every Snakemake of every job needs the digests of all verbs before it can begin."""
    path = _source(module)
    if path is None:
        raise ValueError(f"{module} is not a module of this package")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            body[0].value.value = ""
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("reranksmart"):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if alias.name.startswith("reranksmart.")}
    return _Module(ast.dump(tree), frozenset(name for name in names if _source(name)))


@cache
def _source(module: str) -> Path | None:
    """The file of a module of this package, without importing anything; None where it is no module."""
    place = _ROOT.joinpath(*module.split(".")[1:])
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None
