"""Runs the real Snakemake in a folder, for the tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
TINY = "workflow/configs/tiny.yaml"


def snakemake(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs Snakemake in a copy of the workflow; stdout and stderr together in ``stdout``."""
    command = [str(Path(sys.executable).parent / "snakemake"), *options]
    return subprocess.run(command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
