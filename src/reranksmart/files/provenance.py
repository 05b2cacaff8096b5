"""Where an artefact comes from: code, settings, seed, libraries and device, beside the artefact."""

import hashlib
import json
import platform
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from reranksmart import __version__
from reranksmart.files.storage import read_json, write_json

_VECTORS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "asimd", "sve", "sve2")
_ON_A_CPU = "bit for bit, on this kind of processor with these versions and as many threads"
_ELSEWHERE = "not bit for bit: this device adds in an order that it does not promise"
_LIBRARIES = ("torch", "torchvision", "transformers", "numpy", "faiss-cpu", "faiss-gpu", "snakemake")


def write_provenance(
    path: Path,
    *,
    verb: str,
    code: str,
    arguments: Mapping[str, Any],
    recipe: str = "",
    seed: int | None = None,
    threads: int = 1,
    accelerator: str | None = None,
    read: Mapping[str, str] | None = None,
) -> None:
    """Writes an artefact's provenance: ``provenance.json`` of its folder, or a file of its own beside a file.

    ``code`` is the digest of the verb's code, ``recipe`` that of all that the artefact depends on; ``arguments`` are the
    verb's, of which paths do not count as settings; ``accelerator`` is the device that computed instead of the CPU;
    ``read``, by path, digests of the content of measurements, which no recipe decides.
    """
    record = {
        "verb": verb,
        "package": __version__,
        "code": code,
        "recipe": recipe,
        "arguments": json.loads(
            json.dumps({name: value for name, value in arguments.items() if value is not None}, default=str)
        ),
        "settings_digest": _digest({name: value for name, value in arguments.items() if not _is_path(value)}),
        "seed": seed,
        "threads": threads,
        "device": accelerator or device_name(),
        "processor": processor(),
        "repeatable": _ON_A_CPU if accelerator is None else _ELSEWHERE,
        "python": platform.python_version(),
        "libraries": _installed(),
        **({"read": read} if read else {}),
    }
    write_json(path, record)


def _is_path(value: Any) -> bool:
    return any(isinstance(one, Path) for one in (value if isinstance(value, list | tuple) else [value]))


def _digest(settings: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(settings, default=str, sort_keys=True).encode()).hexdigest()[:16]


def read_record(path: str) -> dict[str, Any]:
    """What a provenance says; nothing where there is none, or none that can be read."""
    with suppress(ValueError, OSError):
        found = read_json(Path(path))
        return found if isinstance(found, dict) else {}
    return {}


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
