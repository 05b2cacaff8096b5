"""The tables of cost: one function a table, from the tables of latency, evaluation time, parameters and indexes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from reranksmart.report.labels import SYSTEM_LABELS, plural, system_label
from reranksmart.report.scope import NOT_RUN
from reranksmart.report.tables import Cell, Column, Row, Table

PAPER_GALLERY = 50_000
_PAPER_ROWS = {"be": "be", "sep_coop": "coop", "ce": "ce"}


def quantiles(times: pd.DataFrame) -> pd.DataFrame:
    """Median, 5th and 95th percentile (``value``, ``low``, ``high``) over the repeats of each timed point."""
    keys = ["system", "gallery_size", "depth", "stage"]
    grouped = times.groupby(keys, sort=False)
    found = grouped["time_ms"].quantile([0.05, 0.5, 0.95]).unstack()[[0.05, 0.5, 0.95]]
    found = found.set_axis(["low", "value", "high"], axis=1)
    return found.join(grouped.agg(extrapolated=("extrapolated", "any"), repeats=("repeat", "nunique"))).reset_index()


def latency_table(
    latency: pd.DataFrame,
    *,
    paper_depth: int,
    labels: Mapping[str, str] = SYSTEM_LABELS,
    dataset: str = "",
    paper_dataset: str = "MSCOCO 5k",
) -> Table:
    """Table 3: one text query, by system and gallery size. The paper's Coop stands beside depth ``paper_depth``."""
    totals = quantiles(latency[latency["stage"] == "total"])
    sizes = sorted(set(totals["gallery_size"]) | {PAPER_GALLERY})
    columns = tuple(Column(f"latency_ms at {size} images", f"{size:,} images", unit="ms") for size in sizes)
    rows = []
    for (system, depth), of_point in totals.groupby(["system", "depth"], sort=False):
        cells = tuple(_timed_cell(of_point[of_point["gallery_size"] == size]) for size in sizes)
        paper_key = _PAPER_ROWS.get(system, "-") if depth in (0, paper_depth) else "-"
        rows.append(Row(f"{system} k={depth}", system_label(system, labels, depth=depth), cells, paper_key=paper_key))
    real = int(latency["real_images"].max())
    return Table(
        name="table3_latency",
        title="Table 3: latency of one query",
        caption="Text-to-image: encode the caption, search the images' vectors, score the pairs; median and, in "
        f"brackets, 5th to 95th percentile of {_repeats(totals)} on {machine(latency)}, one query at a time. "
        f"Galleries of more than {real:,} images are filled with distractor vectors; pairs beyond them repeat images. "
        "The paper's values are from its own machine.",
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=dataset,
        paper_table="table3",
        paper_dataset=paper_dataset,
    )


def evaluation_time_table(
    times: pd.DataFrame,
    *,
    labels: Mapping[str, str] = SYSTEM_LABELS,
    dataset: str = "",
    paper_dataset: str = "MSCOCO 5k",
) -> Table:
    """Table 4: a whole evaluation, both directions, nothing cached."""
    columns = (
        Column("queries", "queries", unit="count", in_paper=False),
        Column("images", "images", unit="count", in_paper=False),
        Column("pairs", "pairs scored", unit="count", in_paper=False),
        Column("seconds", "time", unit="seconds"),
    )
    rows = []
    for line in times.to_dict("records"):
        counts = [Cell(value=float(line[column.key])) for column in columns[:-1]]
        seconds = Cell(value=float(line["seconds"]), extrapolated=bool(line["extrapolated"]))
        paper_key = _PAPER_ROWS.get(line["system"], "-")
        label = system_label(line["system"], labels)
        rows.append(Row(line["system"], label, (*counts, seconds), paper_key=paper_key))
    return Table(
        name="table4_evaluation_time",
        title="Table 4: time of a whole evaluation",
        caption=f"Both directions, nothing encoded beforehand, each system timed once, on {machine(times)}; the paper's on one V100.",
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=dataset,
        paper_table="table4",
        paper_dataset=paper_dataset,
    )


def cost_table(
    costs: pd.DataFrame,
    *,
    labels: Mapping[str, str] = SYSTEM_LABELS,
    dataset: str = "",
    paper_dataset: str = "MSCOCO 5k",
) -> Table:
    """Parameters and disk of each system: separate training holds two models, joint training one."""
    kept = "bytes_per_image" in costs
    columns = (
        Column("models", "models", unit="count"),
        Column("parameters", "parameters", unit="count"),
        Column("bytes", "disk", unit="bytes"),
        *((Column("bytes_per_image", "an image", unit="bytes"),) if kept else ()),
    )
    rows = [
        Row(
            line["system"],
            system_label(line["system"], labels),
            tuple(Cell(value=float(line[column.key])) for column in columns),
            paper_key=line["system"],
        )
        for line in costs.to_dict("records")
    ]
    return Table(
        name="cost",
        title="Parameters and disk: separate against joint",
        caption="Models that a system holds, their parameters together and the bytes of their weights"
        + ("; what is stored of an image for them to read: regions, pixels or vision states." if kept else "."),
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=dataset,
        paper_table="cost",
        paper_dataset=paper_dataset,
    )


def index_table(indexes: pd.DataFrame, *, dataset: str = "") -> Table:
    """Approximate search against exact search, by index type (faiss factory string)."""
    columns = (
        Column("recall_at_10", "recall@10 of exact, %"),
        Column("search_ms", "one query", unit="ms"),
        Column("build_seconds", "build", unit="seconds"),
        Column("bytes_per_vector", "a vector", unit="bytes"),
    )
    scale = {"recall_at_10": 100.0}
    rows = [
        Row(
            line["index"],
            line["index"],
            tuple(Cell(value=scale.get(column.key, 1.0) * line[column.key]) for column in columns),
        )
        for line in indexes.to_dict("records")
    ]
    galleries = " or ".join(f"{size:,}" for size in sorted(indexes["gallery_size"].unique()))
    real = f", of which {int(indexes['real_images'].max()):,} real images" if "real_images" in indexes else ""
    queries = f"{int(indexes['queries'].max()):,} captions ask; " if "queries" in indexes else ""
    return Table(
        name="index_recall",
        title="Approximate nearest neighbours against exact search",
        caption=f"How many of the exact ten nearest images the index finds; {queries}{galleries} vectors{real}; an IVF "
        f"index reads an eighth of its lists; time "
        f"is the median of one query{f', on {machine(indexes)}' if 'device' in indexes else ''}. Not in the paper.",
        header="index",
        columns=columns,
        rows=tuple(rows),
        dataset=dataset,
    )


def machine(times: pd.DataFrame) -> str:
    """``AMD EPYC, 1 thread, float32``: what the clocks ran on."""
    devices = ", ".join(sorted(times["device"].unique()))
    threads = " or ".join(str(count) for count in sorted(times["threads"].unique()))
    words = f"{devices}, {threads} {'thread' if threads == '1' else 'threads'}"
    return f"{words}, {', '.join(sorted(times['dtype'].unique()))}" if "dtype" in times else words


def _timed_cell(point: pd.DataFrame) -> Cell:
    if point.empty:
        return Cell(missing=NOT_RUN)
    row = point.iloc[0]
    low, high = (float(row[name]) if row["repeats"] > 1 else None for name in ("low", "high"))
    return Cell(value=float(row["value"]), low=low, high=high, extrapolated=bool(row["extrapolated"]))


def _repeats(points: pd.DataFrame) -> str:
    counts = sorted(int(count) for count in np.unique(points["repeats"]))
    return plural(counts[0], "repeat") if len(counts) == 1 else f"{counts[0]} to {counts[-1]} repeats"
