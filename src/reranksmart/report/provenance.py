"""Where the numbers of a report come from; a table never mixes code versions."""

from collections.abc import Mapping
from typing import Any


def require_one_code_version(provenances: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises ValueError where artefacts of one verb were made by different versions of its code.

    ``provenances``: by path of the artefact, what its provenance.json says.
    """
    made_by: dict[str, dict[str, str]] = {}
    for path, provenance in provenances.items():
        versions = made_by.setdefault(str(provenance["verb"]), {})
        versions.setdefault(f"{provenance['package']} {provenance['code']}", path)
        if len(versions) > 1:
            listed = "; ".join(f"{version}: {example}" for version, example in versions.items())
            raise ValueError(
                f"artefacts of {provenance['verb']!r} come from {len(versions)} versions of the code ({listed}); one "
                "table may not mix them. Remove the older ones and run the workflow again."
            )
