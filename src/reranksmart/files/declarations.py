"""What the modules of a room say of themselves in literals, read without importing them."""

import ast
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

_ROOT = Path(__file__).parents[1]


@cache
def declared(room: str, kind: type[T]) -> dict[str, T]:
    """The value that each module of ``room`` makes of ``kind`` at its top level, as ``FACTS = Facts(sees="pixels")``,
    by the module's name; modules without one are left out. ValueError where it is not made of literals."""
    found = {}
    for path in sorted((_ROOT / room).glob("*.py")):
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.Assign) and _calls(statement.value, kind.__name__):
                found[path.stem] = kind(**_literals(statement.value, path))
    return found


def _calls(value: ast.expr, name: str) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == name


def _literals(call: Any, path: Path) -> dict[str, Any]:
    try:
        if call.args:
            raise ValueError("it has values without a name")
        return {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    except ValueError as error:
        raise ValueError(
            f"{path}, line {call.lineno}: {call.func.id}(...) is read without running the module, and {error}. Write each "
            "value as a literal after its name, as sees='pixels'."
        ) from error
