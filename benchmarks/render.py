"""The page of all benchmarks: benchmarks/README.md, and a figure of search, from benchmarks/results.

python benchmarks/render.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("agg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).parent
RESULTS = ROOT / "results"
CAPTIONS, IMAGES, DEPTH = 25_000, 5_000, 20  # MSCOCO 5k, both directions
H100 = {"H100, floor (790 TFLOP/s)": 72_000, "H100, aim": 30_000}  # pairs a second: no measurement
PAPER = {"BE": "30 s", "Coop": "25 min", "CE": "50 h"}
BILLION = 10**9


def read(name: str) -> dict[str, Any] | None:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def source(record: dict[str, Any]) -> str:
    libraries = ", ".join(f"{name} {version}" for name, version in record["libraries"].items() if version)
    return (
        f"*{record['date'][:10]}, {record['device']}, {record['threads']} of {record['cores']} cores, "
        f"load {record['load_average']:.1f} before it; {libraries}; commit {record['commit']}.*"
    )


def table(rows: list[dict[str, Any]]) -> str:
    return pd.DataFrame(rows).to_markdown(index=False)


def retrieve_rerank(record: dict[str, Any]) -> str:
    rows = []
    for name, own in record["seconds"].items():
        faster, agrees = record["times_as_fast"][name], record["agreement"][name]
        rows.append(
            {
                "variant": name,
                "seconds": f"{np.median([one['wall'] for one in own]):.1f}",
                "times as fast": f"{faster['wall']:.2f}",
                "by computing time": f"{faster['computed']:.2f}",
                "retrieved in common": f"{agrees['retrieved_overlap']:.3f}",
                "Kendall's tau": f"{agrees['kendall_tau']:.3f}",
                "widest swapped gap": f"{agrees['largest_swapped_gap']:.4f}",
                "spread": f"{agrees['spread_within_a_query']:.4f}",
                "MB beyond weights": f"{record['megabytes_beyond_weights'].get(name, float('nan')):.0f}",
            }
        )
    about = f"{record['images']:,} images of 50 regions, {record['queries']} queries, k = {record['depth']}"
    return f"{record['model']}, {about}. Order is that of the loop's log-odds.\n\n{table(rows)}"


def precision(record: dict[str, Any]) -> str:
    rows = [
        {
            "direction": row["direction"],
            "stage": row["stage"],
            "precision": row["precision"],
            "overlap at 20": f"{row['overlap_at_20']:.4f}" if "overlap_at_20" in row else "",
            "Kendall's tau": f"{row['kendall_tau']:.4f}" if "kendall_tau" in row else "",
            "R@1": f"{row['R@1']:.1f}",
            "change of R@1": f"{row['change']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]",
        }
        for row in record["rows"]
    ]
    about = f"{record['captions']:,} captions and {record['images']:,} images of {record['dataset']} {record['split']}"
    return f"{about}, backbone {record['backbone']}; intervals of 95 % by bootstrap over images.\n\n{table(rows)}"


def training(record: dict[str, Any]) -> str:
    rows = [
        {
            "task": task,
            "variant": name,
            "seconds a step": f"{np.median([one['wall'] for one in own[1:]]):.2f}",
            "times as fast": f"{found['times_as_fast'][name]['wall']:.2f}",
            "by computing time": f"{found['times_as_fast'][name]['computed']:.2f}",
            "largest difference of losses": f"{found['largest_loss_difference'][name]:.5f}",
        }
        for task, found in record["tasks"].items()
        for name, own in found["seconds_a_step"].items()
    ]
    about = f"{record['layers']} layers, {record['hidden_size']} wide, batch {record['batch_size']}, {record['steps']} steps"
    return f"{about}; the first step is not counted.\n\n{table(rows)}"


def planned(record: dict[str, Any]) -> str:
    """Seconds of whole evaluations from measured rates; a card's from its floor, which is an estimate."""
    rates = {name: stage["a_second"] for name, stage in record["stages"].items()}
    rows = [{"machine": "paper, one V100", **PAPER}]
    for name in rates["pairs"]:
        encode = CAPTIONS / rates["captions"][name] + IMAGES / rates["images"][name]
        rows.append({"machine": f"this CPU, {name}", **_systems(encode, rates["pairs"][name])})
    for name, pairs in H100.items():
        encode = IMAGES / (pairs * 64 / 51) + CAPTIONS / (pairs * 64 / 14)
        rows.append({"machine": f"{name}: estimate", **_systems(encode, pairs)})
    found = [
        {"stage": stage, "precision": name, "a second": f"{rates[stage][name]:.1f}"}
        | {f"times as fast ({clock})": f"{of[clock]:.2f}" for clock in of}
        for stage, measured in record["stages"].items()
        for name, of in measured["times_as_fast"].items()
    ]
    return (
        f"{table(found)}\n\nA whole MSCOCO-5k evaluation planned from these rates ({CAPTIONS:,} captions, {IMAGES:,} "
        f"images, both directions, k = {DEPTH}; search is left out). None of its cells was run; a card's rows follow from "
        f"a floor of 11 GFLOP a pair.\n\n{table(rows)}"
    )


def _systems(encode: float, pairs: float) -> dict[str, str]:
    coop = encode + (CAPTIONS + IMAGES) * DEPTH / pairs
    return {"BE": _duration(encode), "Coop": _duration(coop), "CE": _duration(CAPTIONS * IMAGES / pairs)}


def _duration(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def search(record: dict[str, Any]) -> str:
    frame = pd.DataFrame(record["rows"])
    rows = [
        {
            "vectors": row["vectors"],
            "size": f"{row['size']:,}",
            "index": row["index"],
            "settings": ", ".join(f"{key} {value}" for key, value in row["settings"].items()),
            "recall@10": f"{row['recall_at_10']:.3f}",
            "build, s": f"{row['build_computed']:.1f}",
            "bytes a vector": f"{row['bytes_per_vector']:.0f}",
            **{f"p{p} ms": f"{np.percentile(row['computed_ms'], p):.3f}" for p in (50, 95)},
        }
        for row in record["rows"]
    ]
    search_figure(frame)
    return (
        f"{frame['width'].iloc[0]} dimensions, {len(frame['query_ms'].iloc[0])} queries, one at a time; times are "
        f"computing time.\n\n{table(rows)}\n\n![latency and memory against gallery size](results/search.svg)\n\n"
        "Dashed: carried on to a billion vectors, not measured. Assumed: bytes a vector stay; Flat's time grows as the "
        "number of vectors, HNSW's as its logarithm, IVF's as its square root (lists and the vectors in a list both grow "
        "so, probes stay), and all of it lies in memory."
    )


def search_figure(frame: pd.DataFrame) -> None:
    """Median latency, and memory, against gallery size, each with its line to a billion."""
    frame = frame.assign(
        ms=frame["computed_ms"].map(np.median),
        family=frame["index"].str.replace(r"IVF\d+", "IVF", regex=True),
        gigabytes=frame["bytes_per_vector"] * frame["size"] / 1e9,
    )
    frame = frame[frame["vectors"] == "clustered"]
    growth = {"Flat": lambda n: n, "HNSW32": np.log, "IVF,Flat": np.sqrt, "IVF,PQ32": np.sqrt}
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for (family, own), marker in zip(frame.groupby("family"), "osv^", strict=False):
        best = own.sort_values("recall_at_10").groupby("size").last().sort_index()
        last, n = best.index[-1], np.geomspace(best.index[-1], BILLION, 20)
        (line,) = left.plot(best.index, best["ms"], marker=marker, label=family)
        left.plot(n, best["ms"].iloc[-1] * growth[family](n) / growth[family](last), "--", color=line.get_color())
        right.plot(best.index, best["gigabytes"], marker=marker, color=line.get_color(), label=family)
        right.plot(n, best["gigabytes"].iloc[-1] * n / last, "--", color=line.get_color())
    for axes, label in ((left, "median time of one query (ms)"), (right, "memory (GB)")):
        axes.set(xscale="log", yscale="log", xlabel="vectors in the gallery", ylabel=label)
    right.legend(frameon=False)
    figure.savefig(RESULTS / "search.svg", metadata={"Date": None})
    plt.close(figure)


SECTIONS = {
    "retrieve_rerank": ("Retrieve and re-rank, end to end", retrieve_rerank),
    "precision": ("What fewer bits do to the answers", precision),
    "rates": ("Rates, and whole evaluations planned from them", planned),
    "training": ("Training", training),
    "search": ("Search that scales", search),
}


def main() -> None:
    parts = [
        "# Benchmarks\n\nOne command a claim; each writes its raw times and where they come from into `results/`, and "
        "`python benchmarks/render.py` makes this page of them. What is compared ran in turns in one run; *computed* is "
        "the time that the process computed, which others on the machine hardly change.\n\n"
        "On a machine with a GPU: `python benchmarks/gpu.py`. No such run is kept here yet."
    ]
    for name, (title, section) in SECTIONS.items():
        record = read(name)
        body = f"{section(record)}\n\n{source(record)}" if record else "Not run yet."
        parts.append(f"## {title}\n\n`python benchmarks/{name}.py`\n\n{body}")
    (ROOT / "README.md").write_text("\n\n".join(parts) + "\n")
    print(f"wrote {ROOT / 'README.md'}")


if __name__ == "__main__":
    main()
