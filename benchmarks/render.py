"""The page of all benchmarks: benchmarks/README.md, and a figure of search, from benchmarks/results.

python benchmarks/render.py
"""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import yaml
from guarantees_page import coverage, risk
from page_parts import RESULTS, ROOT, read, source, table
from search_page import search

from reranksmart.config.costs import PlannedEvaluation
from reranksmart.report.asked import Asked
from reranksmart.report.rendering import markdown
from reranksmart.report.tables.planned_evaluation import planned_table

matplotlib.use("agg")


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
