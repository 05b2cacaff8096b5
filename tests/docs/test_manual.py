"""The manual: it builds, and nothing of it is loaded from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml
from printed_commands import BLOCK, PAGES
from running import ROOT


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


def test_the_page_of_a_configuration_is_yaml() -> None:
    blocks = [(page, block) for page in PAGES for kind, block in BLOCK.findall(page.read_text()) if kind == "yaml"]
    assert len(blocks) > 3
    for page, block in blocks:
        assert yaml.safe_load(block) is None or isinstance(yaml.safe_load(block), dict), page
