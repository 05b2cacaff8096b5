"""Runs Snakemake and the verbs, for the tests."""

from __future__ import annotations

import atexit
import io
import os
import subprocess
import tempfile
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from unittest.mock import patch

from forked_verbs import forked_snakemake

from reranksmart.cli import main

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
    return kept.enter_context(forked_snakemake(folder / "bin"))


def reranksmart(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Gives a command in this process, which has imported most of what it needs."""
    words, status = ["reranksmart", *map(str, arguments)], 0
    said, complained = io.StringIO(), io.StringIO()
    with patch("sys.argv", words), redirect_stdout(said), redirect_stderr(complained):
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
    return subprocess.CompletedProcess(words, status, said.getvalue(), complained.getvalue())
