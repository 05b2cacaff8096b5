"""Writes requirements.lock from pyproject.toml (with uv) and envs/reranksmart.yaml from the lock: `make lock`."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
# torch names the CUDA libraries of its own build; pinning them here would force them onto machines without a GPU.
_TORCH_PICKS = re.compile(r"^(nvidia-|cuda-|triton)")


def compile_lock() -> str:
    """The pinned dependencies, one a line, for Python 3.11 and later."""
    command = ["uv", "pip", "compile", "pyproject.toml", "--extra", "cpu", "--extra", "dev", "--universal"]
    command += ["--python-version", "3.11", "--no-header", "--no-annotate", "--quiet"]
    compiled = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return "".join(f"{line}\n" for line in compiled.splitlines() if not _TORCH_PICKS.match(line))


def conda_environment(lock: str) -> str:
    """The environment file of the rules: the lock's lines, inlined."""
    pins = "\n".join(f'      - "{line}"' for line in lock.splitlines())
    return (
        "# Made from requirements.lock by `make lock`; a test holds the two equal.\n"
        "channels: [conda-forge]\n"
        "dependencies:\n"
        "  - python=3.11\n"
        "  - pip\n"
        "  - pip:\n"
        f"{pins}\n"
        '      - "-e ../"\n'
    )


if __name__ == "__main__":
    lock = compile_lock()
    (ROOT / "requirements.lock").write_text(lock)
    (ROOT / "envs" / "reranksmart.yaml").write_text(conda_environment(lock))
