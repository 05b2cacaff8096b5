"""Time of one query against gallery size."""

from typing import Any

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Entry, Kind
from reranksmart.report.labels import system_label
from reranksmart.report.plots import Axes, Look, Plot, count_ticks, house_style, legend, look_of, new_figure, time_ticks
from reranksmart.report.reading import LATENCY
from reranksmart.report.times import machine, quantiles
from reranksmart.values.frames import Frame

_DEPTH_MARKERS = ("^", "v", ">", "<", "d", "s", "p", "h")


def latency_figure(latency: Frame, asked: Asked) -> Plot:
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
            _timed_line(
                axes, line.sort_values("gallery_size"), look, system_label(system, asked.labels, depth=depth), fade
            )
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
        name=asked.name,
        title="Latency of one query against gallery size",
        caption=f"Median of {repeats} repeats of one text-to-image query (encode, search, score pairs), band: 5th to "
        f"95th percentile, on {machine(latency)}. Beyond {real:,} images the gallery is filled with distractor vectors."
        f"{extrapolated}",
        figure=figure,
    )


def _timed_line(axes: Axes, line: Frame, look: Look, label: str, fade: float) -> None:
    run, guessed = line[~line["extrapolated"]], line[line["extrapolated"]]
    style: dict[str, Any] = {"color": look.color, "alpha": fade}
    axes.plot(run["gallery_size"], run["value"], marker=look.marker, linestyle="-", label=label, **style)
    axes.fill_between(run["gallery_size"], run["low"], run["high"], color=look.color, alpha=0.13, linewidth=0)
    if len(guessed):
        import pandas as pd

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


KIND = Kind(Entry, reads=(LATENCY,), make=latency_figure, requires="latency")
