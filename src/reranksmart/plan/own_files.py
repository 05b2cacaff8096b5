"""The files and folders of a user's own that a configuration names."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel

from reranksmart.plan.places import SOURCE
from reranksmart.values.settings import OWN, OWN_OR_NAME


def own_files(settings: BaseModel) -> dict[str, str]:
    """By path, the key that names it; of what may be a name on the hub as well as a path, no key."""
    return dict(_found(settings, None, ""))


def _found(value: Any, mark: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, BaseModel):
        for name, own in _marks(type(value)).items():
            yield from _found(getattr(value, name), own, f"{key}.{name}")
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _found(item, mark, f"{key}.{name}")
    elif isinstance(value, tuple):
        for item in value:
            yield from _found(item, mark, key)
    elif mark and isinstance(value, str) and not value.startswith(SOURCE):
        yield value, key.removeprefix(".") if mark is OWN else ""


@cache
def _marks(model: type[BaseModel]) -> dict[str, object]:
    """By field, how its values are marked: as paths, as paths or names, or not at all."""
    hints = get_type_hints(model, include_extras=True)
    return {name: _mark(hints[name]) for name in model.model_fields}


def _mark(hint: Any) -> object:
    for found in getattr(hint, "__metadata__", ()):
        if found in (OWN, OWN_OR_NAME):
            return found
    return next(filter(None, map(_mark, get_args(hint))), None)
