"""Runs the real Snakemake in a folder, for the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
TINY = "workflow/configs/tiny.yaml"
PAPER = "workflow/configs/paper.yaml"


def snakemake(folder: Path, *options: str, programs: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs Snakemake in a copy of the workflow; stdout and stderr together in ``stdout``.

    Programs in the folder ``programs`` go before those of the PATH.
    """
    command = [str(Path(sys.executable).parent / "snakemake"), *options]
    path = os.pathsep.join([*([str(programs)] if programs else []), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path}
    return subprocess.run(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
