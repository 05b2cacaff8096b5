"""Raw times, interleaved, with where they come from; written as one JSON file a claim."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reranksmart.files.provenance import device_name

ROOT = Path(__file__).parent
RESULTS = ROOT / "results"
_LIBRARIES = ("torch", "transformers", "numpy", "faiss-cpu", "faiss-gpu")


def synchronise() -> None:
    """Waits for a GPU's queue to run dry."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def seconds(action: Callable[[], object]) -> dict[str, float]:
    """Wall-clock time of one call, and the time that this process's threads computed in it.

    Others on the machine stretch the first and hardly the second, which is the one to compare on one thread.
    """
    synchronise()
    began, computed = time.perf_counter(), time.process_time()
    action()
    synchronise()
    return {"wall": time.perf_counter() - began, "computed": time.process_time() - computed}


def interleaved(actions: Mapping[str, Callable[[], object]], *, repeats: int) -> dict[str, list[dict[str, float]]]:
    """The times of each action, ``repeats`` each, in turns A B A B, so that a busy machine slows all alike."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in actions}
    for turn in range(repeats):
        for name, action in actions.items():
            found[name].append(seconds(action))
            wall, computed = found[name][-1].values()
            print(f"turn {turn + 1} of {repeats}: {name}: {wall:.3f} s, computed {computed:.3f} s", flush=True)
    return found


def times_as_fast(times: Mapping[str, list[dict[str, float]]], baseline: str) -> dict[str, dict[str, float]]:
    """By both clocks: the median over turns of the baseline's time by the own time within a turn."""
    return {
        name: {
            clock: float(
                np.median([base[clock] / taken[clock] for base, taken in zip(times[baseline], own, strict=True)])
            )
            for clock in ("wall", "computed")
        }
        for name, own in times.items()
    }


def provenance(*, threads: int, device: str = "cpu") -> dict[str, Any]:
    """What the clocks ran on, and with which code and libraries."""
    cuda = device == "cuda"
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "device": torch.cuda.get_device_name() if cuda else device_name(),
        "driver": _driver() if cuda else None,
        "cores": os.cpu_count(),
        "threads": threads,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "amx": torch.cpu._is_amx_tile_supported(),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "commit": _commit(),
    }


def _driver() -> str | None:
    asked = subprocess.run(
        ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() or None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    asked = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or None


def write(name: str, record: Mapping[str, Any], *, folder: Path = RESULTS) -> Path:
    """The file of one benchmark's record."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n")
    print(f"wrote {path}")
    return path


def memory_megabytes(field: str) -> float:
    """``VmRSS`` (now) or ``VmHWM`` (the most since ``forget_peak``) of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:"))


def forget_peak() -> None:
    """Sets the peak of resident memory back to what is resident now."""
    Path("/proc/self/clear_refs").write_text("5")
