"""Which parts of a syntax tree are words: what only people read."""

import ast

HELPING = frozenset({"help", "description", "metavar"})
"""The options of a call that explain something."""
_SAYING = frozenset({"print", "warn", "echo", "secho", "debug", "info", "warning"})


def is_said(node: ast.expr) -> bool:
    """Whether a statement only tells people something: it prints, but not into a file, or warns."""
    if not isinstance(node, ast.Call) or last_name(node.func) not in _SAYING:
        return False
    return all(keyword.arg != "file" or last_name(keyword.value) in ("stderr", "stdout") for keyword in node.keywords)


def may_take_words(call: ast.Call) -> bool:
    """Whether an argument may be words: a text, or as a keyword a name or a composed text."""
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    return any(isinstance(value, ast.JoinedStr) or _is_text(value) for value in values) or any(
        isinstance(keyword.value, ast.Name | ast.BinOp | ast.IfExp) for keyword in call.keywords
    )


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def chain_of(node: ast.AST) -> tuple[str, ...]:
    """The names of ``a.b.c``; none where it is something else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) else ()


def last_name(node: ast.AST | None) -> str:
    """``c`` of ``a.b.c``."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
