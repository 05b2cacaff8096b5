"""Inputs and sizes of one run of ``gpu.py``, its clock, and what was found so far."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import synchronise
from worlds import captions, model, regions

from reranksmart.inputs.stored import RegionInputs
from reranksmart.models.reduced import in_precision
from reranksmart.models.single_stream import SingleStream


class Bench:
    """Inputs and sizes of one run, and what was found so far."""

    def __init__(self, *, device: str, tiny: bool, seconds: float, peak_tflops: float, scratch: Path) -> None:
        self.device = torch.device(device)
        self.tiny = tiny
        self.deadline = time.monotonic() + seconds
        self.images = RegionInputs(regions(scratch / "regions", 24 if self.tiny else 5000))
        self.texts = captions(24 if self.tiny else 25_000)
        size = {"hidden_size": 64, "layers": 2} if self.tiny else {}
        self.make: Callable[[], SingleStream] = partial(model, dropout=0.0, **size)
        self.peak = 1e12 * peak_tflops
        self.rows: list[dict[str, Any]] = []

    def net(self, precision: str) -> SingleStream:
        return in_precision(self.make().to(self.device), precision)

    def out_of_time(self) -> bool:
        return time.monotonic() > self.deadline

    def timed(
        self, what: str, action: Callable[[], object], *, count: int, unit: str, repeats: int = 3, **more
    ) -> None:
        """Keeps the raw seconds of an action after one warming call (none where it is tiny), and how many a second that is."""
        if self.out_of_time():
            self.rows.append({"what": what, "skipped": "out of time", **more})
            return
        if not self.tiny:
            action()
        raw = []
        for _ in range(1 if self.tiny else repeats):
            synchronise()
            began = time.perf_counter()
            action()
            synchronise()
            raw.append(time.perf_counter() - began)
        self.rows.append({"what": what, "seconds": raw, "count": count, "unit": unit, **more})
        self.rows[-1]["rate"] = count / float(np.median(raw))
        print(f"{what}: {self.rows[-1]['rate']:,.1f} {unit}/s", flush=True)
