"""Runs Snakemake in a folder, for the tests."""

from __future__ import annotations

import atexit
import os
import subprocess
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from forked_programs import forked_program

ROOT = Path(__file__).parent.parent
TINY = "workflow/configs/tiny.yaml"
PAPER = "workflow/configs/paper.yaml"


def snakemake(folder: Path, *options: str, programs: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the real Snakemake in a copy of the workflow; stdout and stderr together in ``stdout``.

    Programs in the folder ``programs`` go before those of the PATH.
    """
    command = [str(_forked() / "snakemake"), *options]
    path = os.pathsep.join([*([str(programs)] if programs else []), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path}
    return subprocess.run(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


@cache
def _forked() -> Path:
    """A folder with a ``snakemake`` that begins at once, as long as this process lives."""
    kept = ExitStack()
    atexit.register(kept.close)
    folder = Path(kept.enter_context(tempfile.TemporaryDirectory()))
    return kept.enter_context(forked_program(folder / "bin", "snakemake"))
