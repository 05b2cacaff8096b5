"""Writes what the configuration may hold, from the models that check it: `python workflow/scripts/describe_config.py`.

`workflow/schemas/config.schema.yaml` is a JSON Schema, by which editors complete keys; `config/README.md` lists each key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from reranksmart.config.schema import Config

ROOT = Path(__file__).parent.parent.parent
SCHEMA, PAGE = ROOT / "workflow" / "schemas" / "config.schema.yaml", ROOT / "config" / "README.md"
HEAD = """# Configuration

Every key, from the models that check a configuration before anything runs (`python workflow/scripts/describe_config.py`
writes this page and [the schema](../workflow/schemas/config.schema.yaml)). `NAME` stands for a name of your own: a small
letter, then small letters, digits and `_`. A key without a default must be given.
"""
Row = tuple[str, str, str, str]


def schema() -> dict[str, Any]:
    """The JSON Schema of a configuration."""
    found = Config.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_untitled(found)}


def _untitled(value: Any) -> Any:
    """Without the titles that pydantic makes of the names of keys and classes."""
    if isinstance(value, dict):
        return {k: _untitled(v) for k, v in value.items() if k != "title" or not isinstance(v, str)}
    return [_untitled(item) for item in value] if isinstance(value, list) else value


def page(whole: Mapping[str, Any]) -> str:
    """The reference page: a section for each key of the top, a table for each of its kinds."""
    parts = [HEAD]
    for key, value in whole["properties"].items():
        needed = key in whole["required"]
        about, models = _description(value, whole), _models(key, value, whole)
        parts.append(f"\n## {key}\n" + (f"\n{_sentence(about)}\n" if models else ""))
        for kind, (path, model) in models.items():
            said = _sentence(model.get("description", ""))
            named = f"\n`kind: {kind}`: {said}".rstrip() + "\n" if " " not in kind else f"\nOr: {said}\n"
            parts.append((named if kind else "") + "\n" + _table(path, model, whole))
        if not models:
            parts.append("\n" + _written([(key, _type(value, whole), _default(value, needed), about)]))
    return "".join(parts)


def _table(path: str, model: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    return _written(list(_rows(path, model, whole, ())))


def _rows(path: str, model: Mapping[str, Any], whole: Mapping[str, Any], within: tuple[str, ...]) -> Iterator[Row]:
    for key, value in model.get("properties", {}).items():
        if "const" in value:
            continue
        own = f"{path}.{key}" if path else key
        yield own, _type(value, whole), _default(value, key in model.get("required", ())), _description(value, whole)
        for place, inner in _models(own, value, whole).values():
            name = json.dumps(inner, sort_keys=True)
            if name not in within:
                yield from _rows(place, inner, whole, (*within, name))


def _models(path: str, value: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """The models that a value may be, by kind, each with its path; an unnamed one by the empty kind."""
    value = _resolved(value, whole)
    if "properties" in value:
        kind = value["properties"].get("kind", {}).get("const", "")
        return {kind: (path, value)}
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for option in (*value.get("anyOf", ()), *value.get("oneOf", ())):
        for kind, model in _models(path, option, whole).items():
            found[kind or ("" if "" not in found else f"or {len(found)}")] = model
    for inner, suffix in ((_values(value), ".NAME"), (value.get("items"), "[]")):
        if isinstance(inner, dict):
            found |= _models(path + suffix, inner, whole)
    return found


def _values(value: Mapping[str, Any]) -> Any:
    """The schema of a mapping's values, whatever its names."""
    return next(iter(value.get("patternProperties", {}).values()), value.get("additionalProperties"))


def _resolved(value: Mapping[str, Any], whole: Mapping[str, Any]) -> Mapping[str, Any]:
    return whole["$defs"][value["$ref"].rsplit("/", 1)[1]] if "$ref" in value else value


def _description(value: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    """The key's own; else that of the model it holds, if it holds any."""
    held = [_resolved(option, whole) for option in (value, *value.get("anyOf", ()))]
    return next((str(of["description"]) for of in (value, *held) if of.get("description")), "").split("\n\n")[0]


def _type(value: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    value = _resolved(value, whole)
    if "enum" in value or "const" in value:
        return " or ".join(f"`{option}`" for option in value.get("enum", [value.get("const")]))
    if options := [*value.get("anyOf", ()), *value.get("oneOf", ())]:
        return " or ".join(dict.fromkeys(_type(option, whole) for option in options))
    if "properties" in value:
        return "keys below"
    if value.get("type") == "object":
        inner = _values(value)
        return f"NAME: {_type(inner, whole)}" if isinstance(inner, dict) else "mapping"
    if value.get("type") == "array":
        return f"list of {_type(value['items'], whole)}" if "items" in value else "list"
    words = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}
    limits = ", ".join(f"{sign} {value[key]:,}" for key, sign in words.items() if key in value)
    name = {"integer": "whole number", "string": "text", "boolean": "true or false"}.get(
        value.get("type", ""), value.get("type", "any")
    )
    return f"{name} {limits}".strip()


def _default(value: Mapping[str, Any], needed: bool) -> str:
    if needed or "default" not in value:
        return ""
    return f"`{json.dumps(value['default'], ensure_ascii=False)}`" if not isinstance(value["default"], dict) else ""


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text and text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _written(rows: list[Row]) -> str:
    if not rows:
        return ""
    lines = [("key", "type", "default", "meaning"), ("---",) * 4, *((f"`{path}`", *rest) for path, *rest in rows)]
    return "".join(
        "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in line) + " |\n" for line in lines
    )


def texts() -> dict[Path, str]:
    """Both files as they are to be."""
    whole = schema()
    dumped = yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=120)
    return {SCHEMA: f"# Made by workflow/scripts/describe_config.py.\n{dumped}", PAGE: page(whole)}


if __name__ == "__main__":
    for path, text in texts().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
