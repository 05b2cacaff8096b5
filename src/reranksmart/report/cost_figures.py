"""The figures of cost: latency against gallery size, and accuracy against latency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from reranksmart.report.costs import machine, quantiles
from reranksmart.report.labels import DIRECTIONS, SYSTEM_LABELS, system_label
from reranksmart.report.plots import (
    Look,
    Plot,
    bounds,
    count_ticks,
    house_style,
    legend,
    look_of,
    new_figure,
    time_ticks,
)
from reranksmart.report.scope import Scope, sizes

# Whose clock stands in where a system was not timed: the same networks, trained otherwise.
_TIMED_LIKE: Mapping[str, str] = {
    "joint_be": "be",
    "joint_hard_be": "be",
    "joint_coop": "sep_coop",
    "joint_hard_coop": "sep_coop",
    "joint_ce": "ce",
}
_APART = 1.05  # by which factor points of one time are drawn apart, so that none hides another
_DEPTH_MARKERS = ("^", "v", ">", "<", "d", "s", "p", "h")


def latency_figure(latency: pd.DataFrame, *, labels: Mapping[str, str] = SYSTEM_LABELS) -> Plot:
    """Time of one query against gallery size, both on log axes; extrapolated points hollow and dashed."""
    totals = quantiles(latency[latency["stage"] == "total"])
    with house_style():
        figure, (axes,) = new_figure()
        depths = sorted(set(totals["depth"]) - {0})
        rerankers = list(dict.fromkeys(totals.loc[totals["depth"] > 0, "system"]))
        for place, ((system, depth), line) in enumerate(totals.groupby(["system", "depth"], sort=False)):
            look = look_of(system, place)
            if depth:
                nth = depths.index(depth) + len(depths) * rerankers.index(system)
                look = Look(look.color, _DEPTH_MARKERS[nth % len(_DEPTH_MARKERS)], look.linestyle)
            fade = 1.0 if not depth else 0.45 + 0.55 * (depths.index(depth) + 1) / len(depths)
            _timed_line(axes, line.sort_values("gallery_size"), look, system_label(system, labels, depth=depth), fade)
        real = int(latency["real_images"].max())
        if real < totals["gallery_size"].max():
            axes.axvline(real, color="#777777", linewidth=0.9, linestyle=(0, (1, 2)))
            axes.annotate(
                f"{real:,} real images; beyond: distractor vectors",
                (real, 0.985),
                xycoords=("data", "axes fraction"),
                xytext=(4, 0),
                textcoords="offset points",
                fontsize=7.5,
                color="#555555",
                va="top",
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("images in the gallery")
        axes.set_ylabel("time of one query (median)")
        time_ticks(axes.yaxis)
        count_ticks(axes.xaxis)
        legend(figure, axes)
    extrapolated = (
        " Hollow and dashed: extrapolated from the pairs that were run." if totals["extrapolated"].any() else ""
    )
    counts = sorted({int(count) for count in totals["repeats"]})
    repeats = " to ".join(str(count) for count in ([counts[0], counts[-1]] if len(counts) > 1 else counts))
    return Plot(
        name="latency",
        title="Latency of one query against gallery size",
        caption=f"Median of {repeats} repeats of one text-to-image query (encode, search, score pairs), band: 5th to "
        f"95th percentile, on {machine(latency)}. Beyond {real:,} images the gallery is filled with distractor vectors."
        f"{extrapolated}",
        figure=figure,
    )


def accuracy_latency_figure(
    measures: pd.DataFrame,
    latency: pd.DataFrame,
    scope: Scope,
    *,
    measure: str = "R@1",
    direction: str = "text-to-image",
    exhaustive_test_set: str = "",
    labels: Mapping[str, str] = SYSTEM_LABELS,
) -> Plot:
    """Each system and depth as a point; the Pareto front joins those that nothing beats in both.

    Time is that of the gallery nearest in size to the test set's. An exhaustive cross-encoder that ran on one caption
    an image only (``exhaustive_test_set``) is hollow and outside the front: other queries.
    """
    chosen = scope.rows(measures, free=["system", "depth"])
    chosen = chosen[(chosen["measure"] == measure) & (chosen["direction"] == direction)].assign(comparable=True)
    if exhaustive_test_set:
        others = scope.rows(measures, free=["system"], instead={"test_set": exhaustive_test_set, "depth": 0})
        others = others[(others["measure"] == measure) & (others["direction"] == direction)]
        others = others[others["system"].isin(["ce", "joint_ce"]) & ~others["system"].isin(chosen["system"])]
        chosen = pd.concat([chosen, others.assign(comparable=False)])
    timed = _with_times(chosen, latency)
    points = timed[timed["time_ms"].notna()].copy()
    same = points.groupby("time_ms")["time_ms"]
    points["drawn_ms"] = points["time_ms"] * _APART ** (same.cumcount() - (same.transform("size") - 1) / 2)
    with house_style():
        figure, (axes,) = new_figure()
        compared = points[points["comparable"]]
        front = compared[pareto_front(compared["time_ms"].to_numpy(), compared["value"].to_numpy())].sort_values(
            "time_ms"
        )
        axes.plot(front["drawn_ms"], front["value"], color="#bbbbbb", linewidth=3, zorder=1, label="Pareto front")
        for place, (system, own) in enumerate(points.groupby("system", sort=False)):
            look = look_of(system, place)
            name = labels.get(system, system) + ("" if own["comparable"].all() else " (one caption an image)")
            _points(axes, own, look, name, hollow=not own["comparable"].all(), depths_on_the_left=place % 2 == 0)
        axes.set_xscale("log")
        axes.margins(x=0.08, y=0.12)
        time_ticks(axes.xaxis)
        axes.set_xlabel("time of one query (median)")
        axes.set_ylabel(f"{DIRECTIONS[direction].split(' ')[0]} {measure} (%)")
        legend(figure, axes)
    size = int(points["gallery_size"].iloc[0]) if len(points) else 0
    apart = sizes(chosen[chosen["comparable"].eq(False)])
    left_out = timed.loc[timed["time_ms"].isna(), ["system", "depth"]].to_dict("records")
    untimed = "; ".join(system_label(row["system"], labels, depth=int(row["depth"])) for row in left_out)
    return Plot(
        name="accuracy_latency",
        title="Accuracy against latency",
        caption=f"{DIRECTIONS[direction]} {measure} against the median time of one query among {size:,} images, on "
        f"{machine(latency)}; numbers at the points: k. {sizes(chosen[chosen['comparable']])}"
        + (f" Hollow, on one caption an image: {apart}" if apart else "")
        + (f" Not timed, and so not shown: {untimed}." if untimed else "")
        + " The grey line joins what "
        "no other point beats in both. A joint model that was not timed has the clock of the separate ones; points of one "
        "time are drawn side by side.",
        figure=figure,
    )


def pareto_front(costs: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points no other point beats: none is as cheap and as good, and cheaper or better."""
    cheaper = costs[:, None] >= costs[None, :]
    better = values[:, None] <= values[None, :]
    strictly = (costs[:, None] > costs[None, :]) | (values[:, None] < values[None, :])
    return np.asarray(~(cheaper & better & strictly).any(axis=1))


def _with_times(chosen: pd.DataFrame, latency: pd.DataFrame) -> pd.DataFrame:
    """The measures with the median time of their system and depth, missing where it was not timed."""
    totals = quantiles(latency[latency["stage"] == "total"]).rename(columns={"value": "time_ms"})
    images = int(chosen["images"].max()) if len(chosen) else 0
    size = min(totals["gallery_size"].unique(), key=lambda gallery: (abs(gallery - images), gallery))
    at_size = totals[totals["gallery_size"] == size]
    clock = {(row["system"], row["depth"]): row["time_ms"] for row in at_size.to_dict("records")}
    times = [
        clock.get((system, depth), clock.get((_TIMED_LIKE.get(system), depth)))
        for system, depth in zip(chosen["system"], chosen["depth"], strict=True)
    ]
    return chosen.assign(time_ms=times, gallery_size=size).astype({"time_ms": float})


def _points(
    axes: Axes, points: pd.DataFrame, look: Look, label: str, *, hollow: bool, depths_on_the_left: bool
) -> None:
    low, high = bounds(points)
    axes.errorbar(
        points["drawn_ms"],
        points["value"],
        yerr=[points["value"] - low, high - points["value"]],
        color=look.color,
        marker=look.marker,
        mfc="white" if hollow else look.color,
        ms=6.5,
        linestyle="none",
        elinewidth=0.9,
        capsize=2.5,
        label=label,
        zorder=3,
    )
    for row in points[points["depth"] > 0].to_dict("records"):
        axes.annotate(
            f"{row['depth']:.0f}",
            (row["drawn_ms"], row["value"]),
            xytext=(-5, -10) if depths_on_the_left else (5, 4),
            textcoords="offset points",
            ha="right" if depths_on_the_left else "left",
            fontsize=7.5,
            color=look.color,
        )


def _timed_line(axes: Axes, line: pd.DataFrame, look: Look, label: str, fade: float) -> None:
    run, guessed = line[~line["extrapolated"]], line[line["extrapolated"]]
    style: dict[str, Any] = {"color": look.color, "alpha": fade}
    axes.plot(run["gallery_size"], run["value"], marker=look.marker, linestyle="-", label=label, **style)
    axes.fill_between(run["gallery_size"], run["low"], run["high"], color=look.color, alpha=0.13, linewidth=0)
    if len(guessed):
        joined = pd.concat([run.tail(1), guessed])
        axes.plot(
            joined["gallery_size"],
            joined["value"],
            marker=look.marker,
            markevery=slice(1, None) if len(run) else None,
            mfc="white",
            linestyle=(0, (4, 2)),
            label=f"{label} (extrapolated)",
            **style,
        )
