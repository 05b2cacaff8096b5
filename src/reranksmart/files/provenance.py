"""Where an artefact comes from: code, settings, seed, libraries and device, beside the artefact."""

from __future__ import annotations

import hashlib
import platform
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from reranksmart import __version__
from reranksmart.files.storage import write_json

_VECTORS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "asimd", "sve", "sve2")
_ON_A_CPU = "bit for bit, on this kind of processor with these versions and as many threads"
_ELSEWHERE = "not bit for bit: this device adds in an order that it does not promise"
_LIBRARIES = ("torch", "torchvision", "transformers", "numpy", "faiss-cpu", "faiss-gpu", "snakemake")


def write_provenance(
    folder: Path,
    *,
    verb: str,
    code: str,
    settings: str,
    seed: int | None = None,
    threads: int = 1,
    accelerator: str | None = None,
) -> None:
    """Writes ``provenance.json`` into the folder of an artefact.

    ``code`` is the digest of the verb's code; ``accelerator`` the name of the device that computed instead of the CPU.
    """
    record = {
        "verb": verb,
        "package": __version__,
        "code": code,
        "settings": settings,
        "settings_digest": hashlib.sha256(settings.encode()).hexdigest()[:16],
        "seed": seed,
        "threads": threads,
        "device": accelerator or device_name(),
        "processor": processor(),
        "repeatable": _ON_A_CPU if accelerator is None else _ELSEWHERE,
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
    return _cpu_info().get("model name") or platform.processor() or platform.machine()


def processor() -> str:
    """The kind of processor, as far as it decides how sums are rounded: maker, model and vector instructions."""
    found = _cpu_info()
    model = "/".join(found[key] for key in ("vendor_id", "cpu family", "model") if key in found)
    instructions = set((found.get("flags") or found.get("Features") or "").split())
    return " ".join([model or platform.machine(), *(each for each in _VECTORS if each in instructions)])


@cache
def _cpu_info() -> dict[str, str]:
    """What Linux says of the first processor; nothing elsewhere."""
    path = Path("/proc/cpuinfo")
    block = path.read_text().split("\n\n")[0] if path.exists() else ""
    pairs = (line.partition(":") for line in block.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}
