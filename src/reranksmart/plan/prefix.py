"""Parameters of rules that another workflow imports under a prefix: their paths lie below it, as inputs and outputs do."""

import functools
import re
from collections.abc import Callable
from typing import Any

_RESULTS = re.compile(r"(?<![\w./-])results(?=/)")


def place_params(rule: Any) -> None:
    """Puts the prefix of the importing workflow before every path below ``results`` in the rule's parameters."""
    place = str(rule.output_modifier.modify("results"))
    if place == "results":
        return
    for name, item in list(rule.params.items()):
        setattr(rule.params, name, _wrapped(item, place) if callable(item) else _placed(item, place))


def _wrapped(function: Callable[..., Any], place: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def placed(*given: Any, **named: Any) -> Any:
        return _placed(function(*given, **named), place)

    return placed


def _placed(value: Any, place: str) -> Any:
    return _RESULTS.sub(place, value) if isinstance(value, str) else value
