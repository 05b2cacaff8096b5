"""Accuracy against the time of one query."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, OfExperiments
from reranksmart.report.labels import DIRECTIONS, system_label
from reranksmart.report.plots import Axes, Look, Plot, bounds, house_style, legend, look_of, new_figure, time_ticks
from reranksmart.report.reading import LATENCY, measures
from reranksmart.report.scope import sizes
from reranksmart.report.times import machine, quantiles
from reranksmart.values.frames import Frame

_MEASURE, _DIRECTION = "R@1", "text-to-image"

_APART = 1.05  # by which factor points of one time are drawn apart, so that none hides another


def accuracy_latency_figure(measures: Frame, latency: Frame, asked: Asked) -> Plot:
    """Each system and depth as a point; the Pareto front joins those that nothing beats in both.

    Time is that of the gallery nearest in size to the test set's. An exhaustive cross-encoder that ran on one caption
    an image only (the second test set) is hollow and outside the front: other queries.
    """
    import pandas as pd

    exhaustive_test_set = "".join(name for name, _ in asked.test_sets[1:])
    chosen = asked.rows(measures, "depth")
    chosen = chosen[(chosen["measure"] == _MEASURE) & (chosen["direction"] == _DIRECTION)].assign(comparable=True)
    if exhaustive_test_set:
        others = asked.rows(measures, test_set=exhaustive_test_set, depth=0)
        others = others[(others["measure"] == _MEASURE) & (others["direction"] == _DIRECTION)]
        others = others[others["system"].isin(asked.exhaustive) & ~others["system"].isin(chosen["system"])]
        chosen = pd.concat([chosen, others.assign(comparable=False)])
    timed = _with_times(chosen, latency, asked.clocks)
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
            name = asked.labels.get(system, system) + ("" if own["comparable"].all() else " (one caption an image)")
            _points(axes, own, look, name, hollow=not own["comparable"].all())
        axes.set_xscale("log")
        axes.margins(x=0.08, y=0.12)
        time_ticks(axes.xaxis)
        axes.set_xlabel("time of one query (median)")
        axes.set_ylabel(f"{DIRECTIONS[_DIRECTION].split(' ')[0]} {_MEASURE} (%)")
        legend(figure, axes)
    size = int(points["gallery_size"].iloc[0]) if len(points) else 0
    apart = sizes(chosen[chosen["comparable"].eq(False)])
    left_out = timed.loc[timed["time_ms"].isna(), ["system", "depth"]].to_dict("records")
    untimed = "; ".join(system_label(row["system"], asked.labels, depth=int(row["depth"])) for row in left_out)
    return Plot(
        name=asked.name,
        title="Accuracy against latency",
        caption=f"{DIRECTIONS[_DIRECTION]} {_MEASURE} against the median time of one query among {size:,} images, on "
        f"{machine(latency)}; numbers above the points: k. {sizes(chosen[chosen['comparable']])}"
        + (f" Hollow, on one caption an image: {apart}" if apart else "")
        + (f" Not timed, and so not shown: {untimed}." if untimed else "")
        + " The grey line joins what "
        "no other point beats in both. A system that was not timed has the clock of one that does the same; points of one "
        "time are drawn side by side.",
        figure=figure,
    )


def pareto_front(costs: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points no other point beats: none is as cheap and as good, and cheaper or better."""
    cheaper = costs[:, None] >= costs[None, :]
    better = values[:, None] <= values[None, :]
    strictly = (costs[:, None] > costs[None, :]) | (values[:, None] < values[None, :])
    return np.asarray(~(cheaper & better & strictly).any(axis=1))


def _with_times(chosen: Frame, latency: Frame, clocks: Mapping[str, str]) -> Frame:
    """The measures with the median time of their system and depth, missing where it was not timed."""
    totals = quantiles(latency[latency["stage"] == "total"]).rename(columns={"value": "time_ms"})
    images = int(chosen["images"].max()) if len(chosen) else 0
    size = min(totals["gallery_size"].unique(), key=lambda gallery: (abs(gallery - images), gallery))
    at_size = totals[totals["gallery_size"] == size]
    clock = {(row["system"], row["depth"]): row["time_ms"] for row in at_size.to_dict("records")}
    times = [
        clock.get((clocks.get(system), depth)) for system, depth in zip(chosen["system"], chosen["depth"], strict=True)
    ]
    return chosen.assign(time_ms=times, gallery_size=size).astype({"time_ms": float})


def _points(axes: Axes, points: Frame, look: Look, label: str, *, hollow: bool) -> None:
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
    for row, top in zip(points.to_dict("records"), high, strict=True):
        if row["depth"] > 0:
            axes.annotate(
                f"{row['depth']:.0f}",
                (row["drawn_ms"], top),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=7.5,
                color=look.color,
            )


KIND = Kind(
    OfExperiments,
    reads=(measures(), LATENCY),
    make=accuracy_latency_figure,
    requires="latency",
    shows={"test_sets": (1, 2)},
)
