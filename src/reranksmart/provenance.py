"""Where an artefact comes from: code, settings, seed, libraries and device, beside the artefact."""

from __future__ import annotations

import hashlib
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from reranksmart import __version__
from reranksmart.storage import write_json

_LIBRARIES = ("torch", "torchvision", "transformers", "numpy", "faiss-cpu", "faiss-gpu", "snakemake")


def write_provenance(
    folder: Path, *, verb: str, code: str, settings: str, seed: int | None = None, threads: int = 1
) -> None:
    """Writes ``provenance.json`` into the folder of an artefact; ``code`` is the digest of the verb's code."""
    record = {
        "verb": verb,
        "package": __version__,
        "code": code,
        "settings": settings,
        "settings_digest": hashlib.sha256(settings.encode()).hexdigest()[:16],
        "seed": seed,
        "threads": threads,
        "device": device_name(),
        "python": platform.python_version(),
        "libraries": _installed(),
    }
    write_json(folder / "provenance.json", record)


def _installed() -> dict[str, str]:
    """The versions of the libraries that this environment has; the detector's has few of them."""
    found = {}
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def device_name() -> str:
    """The processor's name."""
    name = platform.processor() or platform.machine()
    cpu_info = Path("/proc/cpuinfo")
    if cpu_info.exists():
        lines = [line for line in cpu_info.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].split(":", 1)[1].strip() if lines else name
    return name
