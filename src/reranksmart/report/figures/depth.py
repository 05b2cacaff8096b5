"""Accuracy against the number of candidates that are re-ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, OfExperiments
from reranksmart.report.labels import DIRECTIONS
from reranksmart.report.plots import Plot, house_style, legend, level_ticks, line_with_band, look_of, new_figure
from reranksmart.report.reading import measures
from reranksmart.report.scope import sizes

if TYPE_CHECKING:
    import pandas as pd

_MEASURE = "R@1"


def depth_figure(measures: pd.DataFrame, asked: Asked) -> Plot:
    """Accuracy against k, a panel a direction; level lines: the retrievers alone."""
    scope = asked.named_scope
    chosen = scope.rows(measures, free=["system", "depth"])
    with house_style():
        figure, panels = new_figure(panels=2, width=8.2, height=3.6)
        for axes, direction in zip(panels, ("text-to-image", "image-to-text"), strict=True):
            of_panel = chosen[(chosen["direction"] == direction) & (chosen["measure"] == _MEASURE)]
            for place, system in enumerate(asked.reranking):
                line = of_panel[of_panel["system"] == system].sort_values("depth")
                if len(line):
                    line_with_band(axes, line["depth"], line, look_of(system, place), asked.labels.get(system, system))
                retriever = asked.retriever_of(system)
                alone = of_panel[of_panel["system"] == retriever]
                if retriever and len(alone):
                    look = look_of(retriever, place)
                    name = f"{asked.labels.get(retriever, retriever)} (no re-ranking)"
                    axes.axhline(
                        alone["value"].iloc[0], color=look.color, linestyle=look.linestyle, linewidth=1.2, label=name
                    )
            depths = sorted(set(of_panel["depth"]) - {0})
            if depths:
                level_ticks(axes, depths, "{:.0f}")
            axes.set_title(DIRECTIONS[direction])
            axes.set_xlabel("candidates re-ranked, k")
            axes.set_ylabel(f"{_MEASURE} (%)")
        legend(figure, *panels)
    return Plot(
        name=asked.name,
        title="Accuracy against the number of candidates re-ranked",
        caption=f"{_MEASURE} by depth k; level lines: the retriever alone. {sizes(chosen)} Bands: the intervals or deviations.",
        figure=figure,
    )


KIND = Kind(
    OfExperiments,
    reads=(measures(),),
    make=depth_figure,
)
