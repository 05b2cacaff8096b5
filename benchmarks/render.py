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
import yaml
from scipy.stats import binomtest

from reranksmart.config.costs import PlannedEvaluation
from reranksmart.report.asked import Asked
from reranksmart.report.rendering import markdown
from reranksmart.report.tables.planned_evaluation import planned_table

matplotlib.use("agg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).parent
RESULTS = ROOT / "results"
BILLION = 10**9
matplotlib.rcParams["svg.hashsalt"] = "search"  # the same ids each time


def read(name: str) -> dict[str, Any] | None:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def source(record: dict[str, Any]) -> str:
    libraries = ", ".join(f"{name} {version}" for name, version in record["libraries"].items() if version)
    return (
        f"*{record['date'][:10]}, {record['device']}{' with AMX' if record.get('amx') else ''}, {record['threads']} of {record['cores']} cores, "
        f"load {record['load_average']:.1f} before it; {libraries}; commit {record['commit']}.*"
    )


def table(rows: list[dict[str, Any]]) -> str:
    return pd.DataFrame(rows).to_markdown(index=False)


def retrieve_rerank(record: dict[str, Any]) -> str:
    rows, beyond = [], record["megabytes_beyond_weights"]
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
                "MB beyond weights": f"{beyond[name]:.0f}" if name in beyond else "not measured",
            }
        )
    about = f"{record['images']:,} images of 50 regions, {record['queries']} queries, k = {record['depth']}"
    return f"{record['model']}, {about}. Order is that of the loop's log-odds.\n\n{table(rows)}"


def training(record: dict[str, Any]) -> str:
    rows = [
        {
            "task": task,
            "variant": name,
            "seconds a step": f"{np.median([one['wall'] for one in own[1:]]):.2f}",
            "times as fast": f"{found['times_as_fast'][name]['wall']:.2f}",
            "by computing time": f"{found['times_as_fast'][name]['computed']:.2f}",
            "loss, first and last step": f"{found['losses'][name][0]:.4f}, {found['losses'][name][-1]:.4f}",
            "largest difference of losses": f"{found['largest_loss_difference'][name]:.5f}",
        }
        for task, found in record["tasks"].items()
        for name, own in found["seconds_a_step"].items()
    ]
    about = f"{record['layers']} layers, {record['hidden_size']} wide, batch {record['batch_size']}, {record['steps']} steps"
    return f"{about}; the first step is not counted.\n\n{table(rows)}"


def planned(record: dict[str, Any]) -> str:
    """The rates, and the seconds of whole evaluations that follow from them by the report's own table."""
    rows = [
        {"stage": stage, "precision": name, "a second": f"{measured['a_second'][name]:.1f}"}
        | {f"times as fast ({clock})": f"{of[clock]:.2f}" for clock in of}
        for stage, measured in record["stages"].items()
        for name, of in measured["times_as_fast"].items()
    ]
    rates = pd.DataFrame(
        [
            {"stage": stage, "precision": name, "count": measured["count"], "computed_ms": 1000 * one["computed"]}
            for stage, measured in record["stages"].items()
            for name, own in measured["seconds"].items()
            for one in own
        ]
    ).assign(device=record["device"], threads=record["threads"])
    settings = yaml.safe_load((ROOT.parent / "config.yaml").read_text())["planned_evaluation"]
    planned = PlannedEvaluation.model_validate(settings).model_dump()
    return f"{table(rows)}\n\n{markdown(planned_table(rates, Asked(planned=planned)))}"


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


def single_query(record: dict[str, Any]) -> str:
    rows = [
        {
            "vectors": f"{int(size):,}",
            **{
                f"{name}, p{p} ms": f"{1000 * np.percentile([one['wall'] for one in own], p):.2f}"
                for name, own in found["seconds"].items()
                for p in (50, 95)
            },
            "times as fast": f"{found['times_as_fast']['search']['wall']:.2f}",
        }
        for size, found in record["sizes"].items()
    ]
    repeats = len(next(iter(record["sizes"].values()))["seconds"]["search"])
    about = f"Flat, {record['width']} dimensions, {repeats} repeats by wall clock, each with one small matrix product after it"
    return f"{about}.\n\n{table(rows)}"


def large_gallery(record: dict[str, Any]) -> str:
    rows = [
        {
            "job": name + (f", each of {len(own)}" if len(own) > 1 else ""),
            "computing, s": f"{max(one['computed'] for one in own):.1f}",
            "what must fit, MB": f"{max(one['anonymous_mb'] for one in own):,.0f}",
            "with mapped files, MB": f"{max(one['resident_mb'] for one in own):,.0f}",
        }
        for name, own in record["jobs"].items()
    ]
    about = (
        f"{record['images']:,} images of {record['width']} dimensions ({record['vector_bytes'] / 1e6:,.0f} MB with ids) and "
        f"{record['captions']:,} captions, {record['factory']} ({record['index_bytes'] / 1e6:,.0f} MB), 1,000 queries in each "
        "direction. Both ways rank alike, byte for byte."
    )
    return f"{about}\n\n{table(rows)}"


def risk(record: dict[str, Any]) -> str:
    """Resplits in which the risk was kept, of each seed, and the fewest with their exact interval."""
    times, names = record["resplits"], {"bi_encoder-cross_encoder": "separate", "joint-joint": "joint"}
    frame = pd.DataFrame(record["cells"])
    frame["confidence"] = [f"{at:g}" if at > 0 else "broken" for at in frame["confidence"]]
    rows = []
    for (models, way, bound, at), own in frame.groupby(["models", "direction", "risk", "confidence"], sort=False):
        fewest = int(own["kept_population"].min())
        low, high = binomtest(fewest, times).proportion_ci(method="exact")
        rows.append(
            {
                "models": names.get(models, models),
                "direction": way,
                "risk": bound,
                "confidence": at,
                f"kept of {times}, by seed": ", ".join(map(str, own["kept_population"])),
                "fewest, %": f"{100 * fewest / times:.1f} [{100 * low:.1f}, {100 * high:.1f}]",
                "kept on the others": ", ".join(map(str, own["kept_others"])),
                "lost by the others, %": f"{100 * own['others'].mean():.1f}",
                "pairs a query": f"{own['pairs'].mean():.1f}",
                "lost on test, %": ", ".join(f"{100 * one['lost']:.1f}" for one in own["test"]),
            }
        )
    about = (
        f"{record['dev_images'] + record['test_images']} images of the scenes' dev and test, resplit {times} times: calibrated on "
        f"{record['dev_images']}, to re-rank at most {record['depth']} candidates. *Kept*: at most the risk is lost of all "
        "images, which is what calibration promises; on *the others*, which it has not seen, chance comes on top. *Broken* is "
        "without confidence, each query counted alone. *Lost on test* is the run's own split."
    )
    return f"{about}\n\n{table(rows)}"


def coverage(record: dict[str, Any]) -> str:
    frame = pd.DataFrame(record["rows"])
    rows = [
        {"images": images, "truth, %": truth}
        | {
            f"{row['measure']}: {row['method']}": f"{row['coverage']:.1f} ({row['width']:.1f})"
            for row in own.to_dict("records")
        }
        for (images, truth), own in frame.groupby(["images", "truth"])
    ]
    about = (
        f"Trials, in percent, in which the interval of 95 % holds the truth, and its mean width in points; {record['trials']:,} "
        f"trials a cell, captions of one image correlated by {record['shared']:g}. *Bounded* is what this product reports, "
        "*percentile* the usual bootstrap over images."
    )
    return f"{about}\n\n{table(rows)}"


def shared_prefix(record: dict[str, Any]) -> str:
    pairs = record["pictures"] * record["captions"]
    rows = [
        {
            "pairs": name,
            "pairs a second, by computing time": f"{pairs / np.median([one['computed'] for one in own]):.1f}",
            "times as fast": f"{record['times_as_fast'][name]['computed']:.2f}",
            "tokens a pair": f"{record['read'][name]['tokens'] / pairs:.0f}",
            "pictures through the vision tower": f"{record['read'][name]['pictures']:,}",
        }
        for name, own in record["seconds"].items()
    ]
    coco, faster = record["coco"], record["times_as_fast"]["picture by picture"]["computed"]
    planned = (coco["images"] + coco["captions"]) * coco["depth"]
    about = (
        f"{record['captions']} captions a picture of {record['shared_tokens']:.0f} tokens that all pairs share, a small "
        f"Qwen3-VL with random weights; log-odds differ by at most {record['largest_difference']:.0e}, their standard "
        f"deviation is {record['spread']:.2g}."
    )
    plan = (
        f"Planned: MSCOCO 5k at k = {coco['depth']}, both directions, is {planned:,} pairs. Pair by pair a published decoder "
        f"of 2B takes {coco['hours_apart']} hours on an A6000 (reported by others, 0.52 s a pair); at the ratio measured here "
        f"that is {coco['hours_apart'] / faster:.0f} hours. It was not run."
    )
    return f"{about}\n\n{table(rows)}\n\n{plan}"


def joint_vlm(record: dict[str, Any]) -> str:
    losses = {task: [] for task in ("bi_encoder", "cross_encoder")}
    for row in record["history"]:
        if row.get("task") in losses:
            losses[row["task"]].append(row["loss"])
    learned = ", ".join(f"{own[0]:.2f} to {own[-1]:.2f} ({task})" for task, own in losses.items())
    found = {(row["row"], row["column"]): row for row in record["table"]}
    rows = [
        {"system": label}
        | {
            column: f"{own['value']:.1f} [{own['low']:.1f}, {own['high']:.1f}]"
            for column in ("text-to-image R@1", "image-to-text R@1", "mR")
            for own in (found[system, column],)
        }
        for system, label in (("joint_be", "Joint+BE"), ("joint_coop", "Joint+Coop"))
    ]
    compared = [
        f"{row['difference']:+.1f} [{row['low']:.1f}, {row['high']:.1f}] {row['direction']} {row['measure']} (p = {row['p_value']:.4f})"
        for row in record["comparisons"]
    ]
    splits, objective = record["splits"], record["objective"]
    return (
        f"A Qwen3-VL of {record['parameters']:,} weights, all random at first, {record['picture_tokens']} tokens a picture, and "
        f"scenes of {len(record['shown'])} photographs: {splits['train']} to learn from, {splits['test']} others with "
        f"{5 * splits['test']} captions to test on. Its vision tower and word embeddings first learned for "
        f"{record['aligned_steps']} steps which word is where; then, the tower frozen, both objectives in turn on one set of "
        f"weights: {objective['steps']} steps of {objective['bi_encoder']['batch_size']} captions and "
        f"{2 * objective['cross_encoder']['batch_size']} pairs, {record['seconds']['train'] / 60:.0f} minutes beside other work. "
        f"Mean losses of the first and the last ten steps: {learned}. R@1 in percent with 95 % intervals, re-ranking at k = "
        f"{record['depth']}, {len(record['seeds'])} seed:\n\n{table(rows)}\n\nCoop minus BE: {'; '.join(compared)}."
    )


def compiled(record: dict[str, Any]) -> str:
    rows = [
        {
            "stage": stage,
            "precision": precision,
            "times as fast": f"{warm['times_as_fast']['compiled']['wall']:.2f}",
            "by computing time": f"{warm['times_as_fast']['compiled']['computed']:.2f}",
            "compiling, s": f"{own['cold'][stage]['first_call']['computed']:.0f}",
            "from the cache, s": f"{warm['first_call']['computed']:.0f}",
            "largest difference": f"{warm['largest_difference']:.1e}",
        }
        for precision, own in record["precisions"].items()
        if "warm" in own
        for stage, warm in own["warm"].items()
    ]
    return f"OSCAR-base, random weights, against eager in turns; first calls by computing time.\n\n{table(rows)}"


SECTIONS = {
    "retrieve_rerank": ("Retrieve and re-rank, end to end", retrieve_rerank),
    "rates": ("Rates, and whole evaluations planned from them", planned),
    "compiled": ("Whether torch.compile pays", compiled),
    "training": ("Training", training),
    "search": ("Search that scales", search),
    "large_gallery": ("An index beyond memory", large_gallery),
    "risk": ("A risk kept as promised", risk),
    "coverage": ("Intervals that hold the truth", coverage),
    "shared_prefix": ("A picture read once for many captions", shared_prefix),
    "joint_vlm": ("A small decoder learns both roles", joint_vlm),
    "single_query": ("One query alone, on a few threads", single_query),
}


def main() -> None:
    parts = [
        "# Benchmarks\n\nOne command a claim; each writes its raw times and where they come from into `results/`, and "
        "`python benchmarks/render.py` makes this page of them. What is compared ran in turns in one run; *computed* is "
        "the time that the process computed, which others on the machine hardly change. Rows of int8 dated before 2026-11-25 "
        "are of torch's dynamic quantisation, which one scaled by row has replaced.\n\n"
        "On a machine with a GPU: `python benchmarks/gpu.py`. No such run is kept here yet."
    ]
    for name, (title, section) in SECTIONS.items():
        others = sorted(path.stem for path in RESULTS.glob(f"{name}.*.json"))  # of other machines
        records = [record for record in map(read, (name, *others)) if record]
        body = "\n\n".join(f"{section(record)}\n\n{source(record)}" for record in records) or "Not run yet."
        parts.append(f"## {title}\n\n`python benchmarks/{name}.py`\n\n{body}")
    (ROOT / "README.md").write_text("\n\n".join(parts) + "\n")
    print(f"wrote {ROOT / 'README.md'}")


if __name__ == "__main__":
    main()
