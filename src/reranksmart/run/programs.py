"""Which programs the jobs run: those of the environment in which Snakemake runs."""

import shlex
import shutil
import sys
from pathlib import Path


def shell_prefix(*, silent: bool = False) -> str:
    """What each job's shell begins with: strictness, what a verb ends with, and the folder of ``reranksmart`` where PATH lacks it.

    A program of another environment, which has a Python of its own beside it, comes after ours. A ``silent`` job speaks
    to its log alone.
    """
    own, found = Path(sys.executable).parent, shutil.which("reranksmart")
    folder = shlex.quote(str(own)).replace("{", "{{").replace("}", "}}")
    path = ""
    if found is None:
        path = f"export PATH=$PATH:{folder}; "
    elif Path(found).with_name("python").exists() and not Path(found).parent.samefile(own):
        path = f"export PATH={folder}:$PATH; "
    return f"set -euo pipefail; export RERANKSMART_PARENT=$PPID; {'exec > /dev/null; ' if silent else ''}{path}"
