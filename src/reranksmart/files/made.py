"""What a verb reads must have been made by the recipe that the configuration asks for."""

import json

from reranksmart.files.contents import content_digest
from reranksmart.files.provenance import read_record

Recipes = str
"""By path, as JSON: where its provenance is, its recipe, and whether it is made of measured times."""


def require_recipes(recipes: Recipes) -> None:
    """Raises ValueError, with its path, where something was made by another recipe."""
    for path, (record, recipe, _) in json.loads(recipes or "{}").items():
        found = read_record(record).get("recipe") or "none"
        if found != recipe:
            raise ValueError(
                f"{path} was made by recipe {found}, but the configuration asks for {recipe}: by other settings, other code "
                f"or other data. It is not shown. Delete {path} and give the same command again."
            )


def measurements(recipes: Recipes) -> dict[str, str]:
    """By path, the digests of the content of those that are made of measured times."""
    return {
        path: digest
        for path, (_, _, is_measured) in json.loads(recipes).items()
        if is_measured and (digest := content_digest(path))
    }
