"""The manual: it builds, nothing of it is loaded from elsewhere, and its commands are understood as they are printed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from snakemake.cli import parse_args

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(snakemake [^`]+)`")


def commands(page: Path, program: str) -> list[list[str]]:
    """The words of each command of ``program`` that a page prints, in blocks and in tables."""
    text = page.read_text(encoding="utf-8")
    lines = [line for kind, block in _BLOCK.findall(text) if kind == "sh" for line in block.splitlines()]
    found = [shlex.split(line, comments=True) for line in lines + _INLINE.findall(text)]
    return [words for words in found if words and words[0] == program]


def test_the_manual_builds_without_a_broken_link_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "-d",
        str(tmp_path / "doctrees"),
        "docs",
        str(tmp_path / "html"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for page in (tmp_path / "html").glob("*.html"):
        assert not re.findall(r"(?:src|rel=\"stylesheet\" href)=\"https?://", page.read_text(encoding="utf-8")), (
            page.name
        )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_snakemake_takes_no_target_for_a_number_of_cores_or_a_configuration(page: Path) -> None:
    for words in commands(page, "snakemake"):
        _, asked = parse_args(words[1:])
        for file in asked.configfile or ():
            assert Path(file).suffix == ".yaml", f"{shlex.join(words)} takes {file} for a configuration"
        assert all("=" not in target for target in asked.targets), shlex.join(words)


def test_the_page_of_a_configuration_is_yaml() -> None:
    blocks = [(page, block) for page in PAGES for kind, block in _BLOCK.findall(page.read_text()) if kind == "yaml"]
    assert len(blocks) > 3
    for page, block in blocks:
        assert yaml.safe_load(block) is None or isinstance(yaml.safe_load(block), dict), page
