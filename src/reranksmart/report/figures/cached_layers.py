"""Accuracy against the cost of re-ranking, by the layers that are stored."""

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, OfExperiments
from reranksmart.report.plots import Plot, bounds, direction_panels, house_style, legend, look_of
from reranksmart.report.reading import PAIR_COSTS, measures
from reranksmart.report.scope import sizes
from reranksmart.report.times import machine, pair_quantiles
from reranksmart.values.frames import Frame

_MEASURE = "R@1"


def cached_layers_figure(measures: Frame, costs: Frame, asked: Asked) -> Plot:
    """Accuracy against the time of a pair in bulk, a panel a direction."""
    chosen = asked.rows(measures)
    bulk = pair_quantiles(costs).query("kind == 'bulk'").set_index("system")
    with house_style():
        figure, panels = direction_panels(chosen, _MEASURE, xlabel="time of one pair in bulk (µs)")
        for axes, of_panel in panels:
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
                    label=asked.label(system),
                )
            axes.set_xlim(left=0)
        legend(figure, *(axes for axes, _ in panels))
    return Plot(
        name=asked.name,
        title="Accuracy against the cost of re-ranking, by the layers that are stored",
        caption=f"{_MEASURE} after re-ranking k = {asked.named_scope.depth}, against the median time of a pair in batches of "
        f"{int(bulk['pairs'].max()):,} on {machine(costs)}, the models taking turns. {sizes(chosen)}",
        figure=figure,
    )


KIND = Kind(OfExperiments, reads=(measures(), PAIR_COSTS), make=cached_layers_figure)
