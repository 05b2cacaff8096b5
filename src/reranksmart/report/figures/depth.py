"""Accuracy against the number of candidates that are re-ranked."""

from typing import Any

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, OfExperiments
from reranksmart.report.plots import Plot, direction_panels, house_style, legend, level_ticks, line_with_band, look_of
from reranksmart.report.reading import measures
from reranksmart.report.scope import sizes
from reranksmart.values.frames import Frame

_MEASURE = "R@1"


def depth_figure(measures: Frame, asked: Asked) -> Plot:
    """Accuracy against k, a panel a direction; level lines: the retrievers alone."""
    chosen = asked.rows(measures, "depth")
    with house_style():
        figure, panels = direction_panels(chosen, _MEASURE, xlabel="candidates re-ranked, k")
        for axes, of_panel in panels:
            for place, system in enumerate(asked.reranking):
                line = of_panel[of_panel["system"] == system].sort_values("depth")
                if len(line):
                    line_with_band(axes, line["depth"], line, look_of(system, place), asked.label(system))
                retriever = asked.retriever_of(system)
                alone = of_panel[of_panel["system"] == retriever]
                if retriever and len(alone):
                    look = look_of(retriever, place)
                    style: dict[str, Any] = {"color": look.color, "linestyle": look.linestyle, "linewidth": 1.2}
                    axes.axhline(alone["value"].iloc[0], label=f"{asked.label(retriever)} (no re-ranking)", **style)
            if depths := sorted(set(of_panel["depth"]) - {0}):
                level_ticks(axes, depths, "{:.0f}")
        legend(figure, *(axes for axes, _ in panels))
    return Plot(
        name=asked.name,
        title="Accuracy against the number of candidates re-ranked",
        caption=f"{_MEASURE} by depth k; level lines: the retriever alone. {sizes(chosen)} Bands: the intervals or deviations.",
        figure=figure,
    )


KIND = Kind(OfExperiments, reads=(measures(),), make=depth_figure)
