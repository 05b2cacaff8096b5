"""Measured times: their medians and percentiles, what the clocks ran on, and what each step of the run took."""

import csv
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from reranksmart.report.labels import number
from reranksmart.report.table import Cell
from reranksmart.values.frames import Frame
from reranksmart.values.precision import PRECISIONS

NOT_NATIVE = Cell(missing="not native here")
PAPER_ROWS: Mapping[str, str] = {"be": "be", "sep_coop": "coop", "ce": "ce"}


def quantiles(times: Frame) -> Frame:
    """Median, 5th and 95th percentile (``value``, ``low``, ``high``) over the repeats of each timed point."""
    return _quantiles(times, "system", "gallery_size", "depth", "stage", extrapolated=("extrapolated", "any"))


def pair_quantiles(costs: Frame) -> Frame:
    """Median, 5th and 95th percentile (``value``, ``low``, ``high``) of each system and kind, with bytes an image."""
    others = {name: (name, "first") for name in ("pairs", "bytes_per_image")}
    return _quantiles(costs, "system", "kind", **others)


def _quantiles(times: Frame, *keys: str, **others: tuple[str, str]) -> Frame:
    grouped = times.groupby(list(keys), sort=False)
    found = grouped["time_ms"].quantile([0.05, 0.5, 0.95]).unstack()[[0.05, 0.5, 0.95]]
    rest = grouped.agg(repeats=("repeat", "nunique"), **others)
    return found.set_axis(["low", "value", "high"], axis=1).join(rest).reset_index()


def machine(times: Frame) -> str:
    """``AMD EPYC, 1 thread, float32``: what the clocks ran on."""
    devices = ", ".join(sorted(times["device"].unique()))
    threads = " or ".join(str(count) for count in sorted(times["threads"].unique()))
    words = f"{devices}, {threads} {'thread' if threads == '1' else 'threads'}"
    return f"{words}, {', '.join(sorted(times['dtype'].unique()))}" if "dtype" in times else words


def emulated(measured: Frame) -> list[str]:
    """The precisions that the machine would only emulate, or that the models lack there: those that were not measured."""
    return [name for name in PRECISIONS if name not in set(measured["precision"])]


def steps(benchmarks: Path) -> list[dict[str, str]]:
    """What each step took when it last ran, the longest first, by Snakemake's files of benchmarks; empty where there are none."""
    found: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for path in sorted(benchmarks.rglob("*.tsv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                found[path.relative_to(benchmarks).with_suffix("").parts[0]].append(
                    (float(row["s"]), _number(row["max_rss"]))
                )
    return [
        {
            "step": rule,
            "jobs": f"{len(rows):,}",
            "together": number(sum(seconds for seconds, _ in rows), "seconds"),
            "the longest": number(max(rows)[0], "seconds"),
            "MB at most": f"{max(megabytes for _, megabytes in rows):,.0f}",
        }
        for rule, rows in sorted(found.items(), key=lambda item: -sum(seconds for seconds, _ in item[1]))
    ]


def _number(text: str) -> float:
    """Zero where a job was too short to be looked at."""
    return float(text) if text.replace(".", "", 1).isdigit() else 0.0
