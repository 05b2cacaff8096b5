"""The modules of this package as syntax trees: what each defines, and what the names in it mean. Nothing is imported."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = "reranksmart"
WHOLE, ON_IMPORT = "all of it", "what it does on import"
"""As names of definitions: those of a module itself."""


class Module(NamedTuple):
    """One source file, cut into its top-level statements."""

    name: str
    folder: Path
    pieces: dict[str, list[ast.stmt]]
    """By name, the statements that bind it or change what it holds."""
    imports: dict[str, tuple[str, str | None]]
    """By name, the module of this package that it is imported from, and the name there; None: the module itself."""
    effects: list[ast.stmt]
    """What else is run on import."""


class Definition(NamedTuple):
    """A top-level name of a module, or one of WHOLE and ON_IMPORT."""

    module: str
    name: str


@cache
def module(name: str) -> Module:
    """ValueError where this package has no such module."""
    path = _source(name)
    if path is None:
        raise ValueError(f"{name} is not a module of this package")
    found = Module(name, path.parent, {}, {}, [])
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        _sort_in(node, found)
    return found


@cache
def is_module(name: str) -> bool:
    return _source(name) is not None


@cache
def resolve(chain: tuple[str, ...], within: str) -> Definition | None:
    """What ``a.b.c`` means in a module; None where it is nothing of this package."""
    here, (name, *rest) = module(within), chain
    if name in here.pieces:
        return Definition(within, name)
    if name not in here.imports:
        return None
    source, imported = here.imports[name]
    return resolve_import(source, imported, rest)


def resolve_import(source: str, name: str | None, rest: Iterable[str] = ()) -> Definition | None:
    """What ``from source import name`` gives, and the attributes ``rest`` of it."""
    parts = [*([name] if name else []), *rest]
    while parts and is_module(f"{source}.{parts[0]}"):
        source = f"{source}.{parts.pop(0)}"
    return resolve(tuple(parts), source) if parts else Definition(source, WHOLE)


def _sort_in(node: ast.stmt, found: Module) -> None:
    """Puts a top-level statement where its names lead to it."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        found.imports.update(imports(node))
        return
    if isinstance(node, ast.If | ast.Try):
        for inner in ast.walk(node):
            if isinstance(inner, ast.Import | ast.ImportFrom):
                found.imports.update(imports(inner))
    changed = set(_changed(node, found))
    for name in changed:
        found.pieces.setdefault(name, []).append(node)
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    if not changed and not is_text:
        found.effects.append(node)


def imports(node: ast.Import | ast.ImportFrom) -> dict[str, tuple[str, str | None]]:
    """The names that an import of this package binds, as ``Module.imports`` has them."""
    if isinstance(node, ast.Import):
        return {(a.asname or a.name): (a.name, None) for a in node.names if _is_ours(a.name)}
    if not node.module or not _is_ours(node.module):
        return {}
    return {(a.asname or a.name): (node.module, a.name) for a in node.names}


def _changed(node: ast.stmt, found: Module) -> Iterator[str]:
    """The top-level names that a statement binds, or whose value it changes: ``NAME[...] = ``, ``@NAME.register``."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        roots = [_root(decorator) for decorator in node.decorator_list if not isinstance(decorator, ast.Name)]
        yield from (root for root in roots if root in found.pieces)
        return
    if isinstance(node, ast.Expr):
        root = _root(node.value)
        if root in found.pieces:
            yield root
        return
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id
        elif isinstance(inner, ast.FunctionDef | ast.ClassDef):
            yield inner.name
        elif isinstance(inner, ast.Subscript | ast.Attribute) and isinstance(inner.ctx, ast.Store):
            root = _root(inner)
            if root in found.pieces:
                yield root


def _root(node: ast.AST) -> str:
    """``a`` of ``a.b(...)[...]``; empty where no name is at the root."""
    while not isinstance(node, ast.Name):
        inner = getattr(node, "value", None) or getattr(node, "func", None)
        if not isinstance(inner, ast.AST):
            return ""
        node = inner
    return node.id


def _is_ours(name: str) -> bool:
    return name == PACKAGE or name.startswith(f"{PACKAGE}.")


@cache
def _source(name: str) -> Path | None:
    """The file of a module of this package; None where it is no module."""
    place = ROOT.joinpath(*name.split(".")[1:])
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None
