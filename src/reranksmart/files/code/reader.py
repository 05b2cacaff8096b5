"""What a piece of code means for a result: its syntax tree without words, and the names that it leads to.

Words are what only people read: docstrings, annotations, the arguments of exceptions, what is printed or warned of, help
texts, parameters that only go into these, and local variables that do.
"""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from reranksmart.files.code.meaning import Meaning
from reranksmart.files.code.modules import (
    ON_IMPORT,
    PACKAGE,
    Definition,
    Module,
    imports,
    module,
    resolve,
)
from reranksmart.files.code.words import HELPING, chain_of, is_said, last_name, may_take_words

_WITHOUT_EFFECT = ("cli.verb", "files.code", "files.provenance", "run.observation", "run.progress")
"""Modules that only say something, or that only give a verb its frame."""
_LEFT_OUT = frozenset({"ctx", "type_comment", "kind", "annotation", "returns", "decorator_list", "type_ignores"})
_DATA = (".csv", ".css", ".html", ".js", ".json", ".mplstyle", ".svg", ".txt", ".yaml")
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Scope = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_NOTHING: tuple[tuple[str, ...], frozenset[str]] = (), frozenset()
_DEPTH = 2
"""How often words may be handed on from one function to the next."""
_FIELDS: dict[type, tuple[str, ...]] = {}


def is_without_effect(module: str) -> bool:
    """Whether no result depends on what a module does."""
    return module.removeprefix(f"{PACKAGE}.").startswith(_WITHOUT_EFFECT)


@cache
def meaning(definition: Definition) -> Meaning:
    """What all statements mean that bind a top-level name, or change it, or what a module does on import."""
    here, found = module(definition.module), Meaning()
    nodes = here.effects if definition.name == ON_IMPORT else here.pieces[definition.name]
    for node in nodes:
        _Reader(here, found).read(node)
    found.settle(keep_all=True)
    found.leads_to |= {target for chain in found.chains if (target := resolve(chain, here.name))}
    return found


@cache
def _parameters_of_words(definition: Definition, depth: int = _DEPTH) -> tuple[tuple[str, ...], frozenset[str]]:
    """A function's positional parameters, and all of its parameters that only go into words."""
    nodes = module(definition.module).pieces.get(definition.name, [])
    if depth == 0 or len(nodes) != 1 or not isinstance(nodes[0], ast.FunctionDef):
        return _NOTHING
    own = nodes[0].args
    reader = _Reader(module(definition.module), Meaning(), depth=depth - 1)
    return tuple(arg.arg for arg in [*own.posonlyargs, *own.args]), reader.read_function(nodes[0])


class _Reader:
    """Reads syntax trees of one module into a Meaning."""

    def __init__(self, within: Module, into: Meaning, *, depth: int = _DEPTH) -> None:
        self.within, self.found, self.depth = within, into, depth

    def read(self, node: Any) -> None:
        special = getattr(self, f"of_{type(node).__name__.lower()}", None)
        if special is None or special(node) is NotImplemented:
            self.read_fields(node)

    def read_fields(self, node: ast.AST) -> None:
        kind = type(node)
        fields = _FIELDS.get(kind)
        if fields is None:
            fields = _FIELDS[kind] = tuple(name for name in kind._fields if name not in _LEFT_OUT)
        text = self.found.text
        text.append(kind.__name__)
        for name in fields:
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                self.read(value)
            elif isinstance(value, list):
                for item in value:
                    if isinstance(item, ast.AST):
                        self.read(item)
                    else:
                        text.append(repr(item))
                text.append(";")
            else:
                text.append(repr(value))

    def part(self, *nodes: ast.AST, each: Callable[[Any], object] | None = None) -> Meaning:
        """What nodes mean on their own."""
        outer, self.found = self.found, Meaning()
        for node in nodes:
            (each or self.read)(node)
        inner, self.found = self.found, outer
        return inner

    def say(self, node: ast.AST | None) -> None:
        """Notes the names that words are made of."""
        if node is not None:
            self.found.words |= {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}

    def of_name(self, node: ast.Name) -> None:
        self.found.text.append(node.id)
        if isinstance(node.ctx, ast.Load):
            self.found.chains.add((node.id,))
        else:
            self.found.bound.add(node.id)

    def of_attribute(self, node: ast.Attribute) -> Any:
        names, inner = [node.attr], node.value
        while isinstance(inner, ast.Attribute):
            names.append(inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name):
            return NotImplemented
        chain = (inner.id, *reversed(names))
        self.found.text.append(".".join(chain))
        self.found.chains.add(chain)

    def of_constant(self, node: ast.Constant) -> None:
        self.found.text.append(repr(node.value))
        if isinstance(node.value, str) and node.value.endswith(_DATA):
            self.found.data.add(node.value)

    def of_import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.found.text += ["import", getattr(node, "module", ""), *(alias.name for alias in node.names)]
        for name, (source, imported) in imports(node).items():
            self.found.bound.add(name)
            self.found.imported[name] = (source, imported)

    of_importfrom = of_import

    def of_expr(self, node: ast.Expr) -> Any:
        value = node.value
        if isinstance(value, ast.Constant):
            return None
        if is_said(value):
            self.say(value)
            return None
        return NotImplemented

    def of_raise(self, node: ast.Raise) -> None:
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        name = last_name(raised)
        self.found.text += ["Raise", name if name[:1].isupper() else ""]
        self.say(node.exc)
        self.say(node.cause)

    def of_assert(self, node: ast.Assert) -> None:
        self.read(node.test)
        self.say(node.msg)

    def of_call(self, node: ast.Call) -> None:
        self.read(node.func)
        chain = chain_of(node.func)
        target = resolve(chain, self.within.name) if chain else None
        quiet = target is not None and is_without_effect(target.module)
        names, words = _NOTHING
        if target and not quiet and may_take_words(node):
            names, words = _parameters_of_words(target, self.depth)
        for place, value in enumerate(node.args):
            (self.say if names[place : place + 1] and names[place] in words else self.read)(value)
        for keyword in node.keywords:
            self.found.text.append(str(keyword.arg))
            is_words = quiet or keyword.arg in words or keyword.arg in HELPING
            (self.say if is_words else self.read)(keyword.value)
        self.found.text.append(")")

    def of_assign(self, node: ast.Assign) -> Any:
        if len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            return NotImplemented
        name = node.targets[0].id
        self.found.bound.add(name)
        part = self.part(node.value)
        part.text.insert(0, f"{name}=")
        self.found.assigned.append((name, part))
        return None

    def of_annassign(self, node: ast.AnnAssign) -> None:
        if node.value is None:
            self.read(node.target)
        else:
            self.read(ast.Assign([node.target], node.value))

    def read_function(self, node: _Function) -> frozenset[str]:
        """Reads a function; returns its parameters that only go into words."""
        inside = self.part(*(node.body if isinstance(node.body, list) else [node.body]))
        inside.settle()
        own = node.args
        named = [*own.posonlyargs, *own.args, *own.kwonlyargs]
        words = {arg.arg for arg in named if arg.arg in inside.words - inside.roots}
        without = len(own.posonlyargs) + len(own.args) - len(own.defaults)
        defaults = [*[None] * without, *own.defaults, *own.kw_defaults]
        self.found.text += ["def", getattr(node, "name", "")]
        for arg, default in zip(named, defaults, strict=True):
            self.found.text.append(arg.arg)
            if default is not None and arg.arg not in words:
                self.read(default)
        starred = [arg.arg for arg in (own.vararg, own.kwarg) if arg]
        self.found.text += starred
        inside.bound |= {arg.arg for arg in named} | set(starred)
        self.found.add(inside)
        return frozenset(words)

    def of_lambda(self, node: ast.Lambda) -> None:
        self.read_function(node)

    def of_functiondef(self, node: ast.FunctionDef) -> None:
        self.found.bound.add(node.name)
        for decorator in node.decorator_list:
            if last_name(decorator.func if isinstance(decorator, ast.Call) else decorator) != "verb":
                self.read(decorator)
        self.read_function(node)

    def of_listcomp(self, node: _Scope) -> None:
        self.found.add(self.part(node, each=self.read_fields))

    of_setcomp = of_dictcomp = of_generatorexp = of_listcomp

    def of_classdef(self, node: ast.ClassDef) -> None:
        self.found.bound.add(node.name)
        for decorator in node.decorator_list:
            self.read(decorator)
        self.found.text += ["class", node.name]
        inside = self.part(*node.bases, *node.keywords, *node.body)
        inside.settle(keep_all=True)
        for inner in node.body:
            if isinstance(inner, ast.AnnAssign):  # pydantic makes an object of such a class
                inside.leads_to |= set(self._classes(inner.annotation))
        inside.bound = set()  # what a method names is not of its class, and a name in the class itself may be of both
        self.found.add(inside)

    def _classes(self, annotation: ast.expr) -> Iterator[Definition]:
        for inner in ast.walk(annotation):
            target = resolve((inner.id,), self.within.name) if isinstance(inner, ast.Name) else None
            nodes = module(target.module).pieces.get(target.name, ()) if target else ()
            if target and any(isinstance(node, ast.ClassDef) for node in nodes):
                yield target
