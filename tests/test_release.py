"""What a stranger needs to reuse and cite the project."""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml

import reranksmart

ROOT = Path(__file__).parent.parent
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_version_is_written_once_and_cited_as_such() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "version" in project["dynamic"]
    assert CITATION["version"] == reranksmart.__version__
    assert f"## [{reranksmart.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_licence_is_the_one_that_is_named() -> None:
    assert CITATION["license"] == "Apache-2.0"
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in licence
    assert "Version 2.0, January 2004" in licence


def test_the_citation_names_the_paper() -> None:
    paper = CITATION["preferred-citation"]
    assert [author["family-names"] for author in paper["authors"]][:2] == ["Geigle", "Pfeiffer"]
    assert paper["doi"] == "10.1162/tacl_a_00473"
