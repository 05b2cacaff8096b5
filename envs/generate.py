"""Writes the locks from pyproject.toml (with uv) and the environment files of the rules from the locks: `make lock`."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
# torch names the CUDA libraries of its own build; pinning them here would force them onto machines without a GPU.
_TORCH_PICKS = re.compile(r"^(nvidia-|cuda-|triton)")

_WHERE = "# Paths are from .snakemake/conda, where Snakemake puts a copy of this file before pip reads it.\n"

_PROJECT = ("pyproject.toml", "--extra", "cpu", "--extra", "dev")
_DETECTOR = ("--group", "pyproject.toml:detector")


def compile_lock(*what: str, pinned: Path) -> str:
    """The pinned dependencies, one a line, for Python 3.11 and later. What ``pinned`` pins already keeps its version."""
    command = ["uv", "pip", "compile", *what, "--universal", "--constraint", str(pinned)]
    command += ["--python-version", "3.11", "--no-header", "--no-annotate", "--quiet"]
    compiled = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return "".join(f"{line}\n" for line in compiled.splitlines() if not _TORCH_PICKS.match(line))


def conda_environment(lock: str, *, name: str = "requirements.lock", project: bool = True) -> str:
    """The environment file of the rules: the lock's lines, inlined; ``project`` installs this package too."""
    pins = "\n".join(f'      - "{line}"' for line in lock.splitlines())
    return (
        f"# Made from {name} by `make lock`; a test holds the two equal.\n"
        + (_WHERE if project else "")
        + "channels: [conda-forge]\n"
        "dependencies:\n"
        "  - python=3.11\n"
        "  - pip\n"
        "  - pip:\n"
        f"{pins}\n" + ('      - "-e ../../"\n' if project else "")
    )


if __name__ == "__main__":
    lock = compile_lock(*_PROJECT, pinned=ROOT / "requirements.lock")
    (ROOT / "requirements.lock").write_text(lock)
    (ROOT / "envs" / "reranksmart.yaml").write_text(conda_environment(lock))
    lock = compile_lock(*_DETECTOR, pinned=ROOT / "envs" / "detector.lock")
    (ROOT / "envs" / "detector.lock").write_text(lock)
    (ROOT / "envs" / "detector.yaml").write_text(conda_environment(lock, name="detector.lock", project=False))
