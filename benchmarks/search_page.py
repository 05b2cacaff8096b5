"""The sections of search: what each kind of index costs, and its figure."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from page_parts import RESULTS, read, source, table

matplotlib.use("agg")
import matplotlib.pyplot as plt

BILLION = 10**9
matplotlib.rcParams["svg.hashsalt"] = "search"  # the same ids each time

GROWTH = {"Flat": lambda n: n, "SQfp16": lambda n: n, "HNSW32": np.log}  # of a query's time; IVF's: square root


def search(record: dict[str, Any]) -> str:
    apart = {"Random vectors": read("search_random"), "RaBitQ": read("search_rabitq")}  # in runs of their own
    more = {what: own for what, own in apart.items() if own}
    frame = pd.DataFrame([row for one in (record, *more.values()) for row in one["rows"]])
    frame = frame.assign(
        on_disk=frame["disk_bytes_per_vector"] > 0,
        ms=frame["computed_ms"].map(np.median),
        family=frame["index"].str.replace(r"IVF\d+", "IVF", regex=True),
    )
    frame["family"] += frame["on_disk"].map({True: ", lists on disk", False: ""})
    rows = [
        {
            "vectors": row["vectors"],
            "size": f"{row['size']:,}",
            "index": row["index"],
            "settings": ", ".join(f"{key} {value}" for key, value in row["settings"].items()),
            "recall@10": f"{row['recall_at_10']:.3f}",
            "build, s": f"{row['build_computed']:.1f}",
            "bytes a vector": f"{row['bytes_per_vector']:.0f}",
            "and on disk": f"{row['disk_bytes_per_vector']:.0f}" if row["on_disk"] else "",
            **{f"p{p} ms": f"{np.percentile(row['computed_ms'], p):.3f}" for p in (50, 95)},
            "first time, wall": f"{np.median(row['first_query_ms']):.1f}" if row["first_query_ms"] else "",
        }
        for row in frame.to_dict("records")
    ]
    best = {family: _most_exact(own) for family, own in frame[frame["vectors"] == "clustered"].groupby("family")}
    search_figure(best)
    billion = [
        {
            "index": family,
            "measured up to": f"{own.index[-1]:,}",
            "recall@10 there": f"{own['recall_at_10'].iloc[-1]:.3f}",
            "time of one query": f"{_at(own['ms'], family, BILLION) / 1000:.3g} s",
            "memory": f"{_gigabytes(own, BILLION):,.1f} GB",
            "disk": f"{own['disk_bytes_per_vector'].iloc[-1] * BILLION / 1e9:,.0f} GB",
            "to build, core hours": f"{_hours(own, family):,.0f}",
            "jobs of 6 h": f"{np.ceil(_hours(own, family) / 6):,.0f}" if "on disk" in family else "",
        }
        for family, own in best.items()
    ]
    return (
        f"{frame['width'].iloc[0]} dimensions, {len(frame['query_ms'].iloc[0])} queries, one at a time; times are "
        "computing time, but for lists on disk also the wall-clock time of the first pass, for which the system had "
        f"dropped the file from memory (the second settings find there what the first ones read).\n\n{table(rows)}\n\n"
        "![latency and memory against gallery size](results/search.svg)\n\n"
        f"A plan for a billion vectors (dashed in the figure; not measured):\n\n{table(billion)}\n\n"
        "Assumed: bytes a vector stay, in memory and on disk; a full scan's time grows as the number of vectors, HNSW's "
        "as its logarithm, IVF's as its square root (lists and the vectors in a list both grow so, probes stay), and "
        "with it what lists on disk leave in memory, their centroids; all but lists on disk lie in memory, and those are "
        "in the system's cache. Building grows as a search does, for every vector. Lists on disk are learned from a "
        "sample and filled by jobs that know nothing of each other, each a part of the vectors; joining the parts copies the "
        "disk's bytes once. Other kinds are one job. Recall at fixed probes falls with size, which the curve does not show."
        + "".join(f"\n\n{what}: {source(own)}" for what, own in more.items())
    )


def _most_exact(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each size the settings with the best recall, by size."""
    return rows.sort_values("recall_at_10").groupby("size").last().sort_index()


def _hours(own: pd.DataFrame, family: str) -> float:
    """Core hours in which an index of a billion vectors is built, at the rate of the largest one that was."""
    each = own["build_computed"] / own.index
    constant = family in ("Flat", "SQfp16")  # a vector is written down, whatever is there already
    return float(each.iloc[-1] if constant else _at(each, family, BILLION)) * BILLION / 3600


def _at(times: pd.Series, family: str, size: float) -> float:
    growth = GROWTH.get(family, np.sqrt)
    return float(times.iloc[-1] * growth(size) / growth(times.index[-1]))


def _gigabytes(rows: pd.DataFrame, size: float) -> float:
    """Memory at a size beyond the last measured one."""
    last = rows.iloc[-1]
    grown = np.sqrt(size * rows.index[-1]) if last["on_disk"] else size
    return float(last["bytes_per_vector"] * grown / 1e9)


def search_figure(best: dict[str, pd.DataFrame]) -> None:
    """Median latency, and memory, against gallery size, each with its line to a billion."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4), layout="constrained")
    for (family, own), marker in zip(best.items(), "osv^Dp*X<", strict=False):
        beyond = np.geomspace(own.index[-1], BILLION, 20)
        (line,) = left.plot(own.index, own["ms"], marker=marker, label=family)
        look = {"color": line.get_color()}
        left.plot(beyond, [_at(own["ms"], family, size) for size in beyond], "--", **look)
        right.plot(own.index, own["bytes_per_vector"] * own.index / 1e9, marker=marker, label=family, **look)
        right.plot(beyond, [_gigabytes(own, size) for size in beyond], "--", **look)
    for axes, label in ((left, "median time of one query (ms)"), (right, "memory (GB)")):
        axes.set(xscale="log", yscale="log", xlabel="vectors in the gallery", ylabel=label)
    right.legend(frameon=False, fontsize=8)
    figure.savefig(RESULTS / "search.svg", metadata={"Date": None})
    plt.close(figure)
