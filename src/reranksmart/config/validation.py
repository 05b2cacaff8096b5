"""A configuration that is read from outside, with every fault of it described."""

import reprlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError

from reranksmart.config.references import nearest
from reranksmart.config.schema import Config
from reranksmart.values.settings import ConfigError

_MOST_FAULTS, _LONGEST_FAULT = 20, 2000


def validated(raw: Mapping[str, Any]) -> Config:
    """The configuration, checked whole; ConfigError lists every fault with its path and the nearest known key."""
    if braced := list(_paths_with_braces(raw)):
        raise ConfigError(
            "The configuration cannot run:\n"
            + "\n".join(
                f"  - {key}: the path {path!r} holds a brace, which Snakemake reads as a wildcard."
                for key, path in braced
            )
            + "\nRename the folder, or name a symbolic link to it."
        )
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        told = [f"  - {_describe(fault)[:_LONGEST_FAULT]}" for fault in error.errors()[:_MOST_FAULTS]]
        if error.error_count() > _MOST_FAULTS:
            told.append(f"  - and {error.error_count() - _MOST_FAULTS} more; mend these first.")
        faults = "\n".join(told)
        raise ConfigError(f"The configuration cannot run:\n{faults}") from None


def _paths_with_braces(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """The key and value of each path below that no rule could have as its input."""
    if isinstance(value, Mapping):
        for name, below in value.items():
            yield from _paths_with_braces(below, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list | tuple):
        for below in value:
            yield from _paths_with_braces(below, key)
    elif isinstance(value, str) and "/" in value and ("{" in value or "}" in value):
        yield key, value


def _known_keys(model: Any, path: tuple[Any, ...]) -> list[str]:
    """The keys that the schema allows at ``path``."""
    for part in path:
        if get_origin(model) is Annotated:
            model = get_args(model)[0]
        if get_origin(model) is dict:
            model = get_args(model)[1]
        elif get_origin(model) is tuple:
            model = get_args(model)[0]
        elif isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields:
            model = model.model_fields[part].annotation
        else:  # a union: the part is the variant's tag
            model = _tagged(model).get(part) or next(
                (k.model_fields[part].annotation for k in _variants(model) if part in k.model_fields), None
            )
    return [key for variant in _variants(model) for key in variant.model_fields]


def _tagged(model: Any) -> dict[str, type[BaseModel]]:
    """The variants of a union by the tag that stands in a fault's path: their kind, or a phrase."""
    found: dict[str, type[BaseModel]] = {}
    for option in _options(model):
        variant, *more = get_args(option) if get_origin(option) is Annotated else (option,)
        found |= {mark.tag: variant for mark in more if isinstance(mark, Tag)}
        if isinstance(variant, type) and issubclass(variant, BaseModel) and "kind" in variant.model_fields:
            found[get_args(variant.model_fields["kind"].annotation)[0]] = variant
    return found


def _options(model: Any) -> tuple[Any, ...]:
    if get_origin(model) is Annotated:
        model = get_args(model)[0]
    return get_args(model) if get_origin(model) in (Union, type(int | str)) else (model,)


def _variants(model: Any) -> list[type[BaseModel]]:
    options = [get_args(option)[0] if get_origin(option) is Annotated else option for option in _options(model)]
    return [option for option in options if isinstance(option, type) and issubclass(option, BaseModel)]


def _describe(error: Mapping[str, Any]) -> str:
    location = error["loc"]
    kept = (*location[:2], *location[3:]) if location[:1] == ("datasets",) and location[2:3] != ("[key]",) else location
    path = ".".join(str(part) for part in kept if " " not in str(part))  # a kind or a phrase is a variant's tag, no key
    if error["type"] == "extra_forbidden":
        known = _known_keys(Config, location[:-1])
        return f"{path}: unknown key {location[-1]!r}. {nearest(str(location[-1]), known)} Known keys: {known}."
    if error["type"] == "union_tag_invalid":
        known = [tag.strip("' ") for tag in error["ctx"]["expected_tags"].split(",")]
        tag = error["ctx"]["tag"]
        return f"{path}: {tag!r} is no {error['ctx']['discriminator'].strip(chr(39))}; there are {known}. {nearest(tag, known)}"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error":
        return f"{path}: {message}" if path else message
    if error["type"] == "string_pattern_mismatch" or location[-1:] == ("[key]",):
        return (
            f"{path.removesuffix('.[key]')}: {error['input']!r} is no name; a name begins with a small letter and has small "
            "letters, digits and _ after it. Change it here and where it is used."
        )
    if error["type"] == "missing":
        return f"{path}: missing. Add this key; see the comments of config.yaml."
    return f"{path}: {message}, got {reprlib.repr(error['input'])}. Change this value in the configuration."
