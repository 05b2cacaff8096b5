"""Accuracy against the cost of re-ranking, by the layers that are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, OfExperiments
from reranksmart.report.labels import DIRECTIONS
from reranksmart.report.plots import Plot, bounds, house_style, legend, look_of, new_figure
from reranksmart.report.reading import PAIR_COSTS, measures
from reranksmart.report.scope import sizes
from reranksmart.report.times import machine, pair_quantiles

if TYPE_CHECKING:
    import pandas as pd

_MEASURE = "R@1"


def cached_layers_figure(measures: pd.DataFrame, costs: pd.DataFrame, asked: Asked) -> Plot:
    """Accuracy against the time of a pair in bulk, a panel a direction."""
    scope = asked.named_scope
    chosen = scope.rows(measures, free=["system"])
    bulk = pair_quantiles(costs).query("kind == 'bulk'").set_index("system")
    with house_style():
        figure, panels = new_figure(panels=2, width=8.2, height=3.6)
        for axes, direction in zip(panels, ("text-to-image", "image-to-text"), strict=True):
            of_panel = chosen[(chosen["direction"] == direction) & (chosen["measure"] == _MEASURE)]
            for place, system in enumerate(asked.systems):
                point = of_panel[of_panel["system"] == system]
                if point.empty or system not in bulk.index:
                    continue
                low, high = bounds(point)
                look = look_of(system, place)
                axes.errorbar(
                    [1000 * bulk.loc[system, "value"] / bulk.loc[system, "pairs"]],
                    point["value"],
                    yerr=[point["value"] - low, high - point["value"]],
                    color=look.color,
                    marker=look.marker,
                    linestyle="none",
                    capsize=2.5,
                    label=asked.labels.get(system, system),
                )
            axes.set_xlim(left=0)
            axes.set_title(DIRECTIONS[direction])
            axes.set_xlabel("time of one pair in bulk (µs)")
            axes.set_ylabel(f"{_MEASURE} (%)")
        legend(figure, *panels)
    return Plot(
        name=asked.name,
        title="Accuracy against the cost of re-ranking, by the layers that are stored",
        caption=f"{_MEASURE} after re-ranking k = {scope.depth}, against the median time of a pair in batches of "
        f"{int(bulk['pairs'].max()):,} on {machine(costs)}, the models taking turns. "
        f"{sizes(chosen[chosen['system'].isin(asked.systems)])}",
        figure=figure,
    )


KIND = Kind(
    OfExperiments,
    reads=(
        measures(),
        PAIR_COSTS,
    ),
    make=cached_layers_figure,
)
