"""Mean recall against the share of the training images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, OfExperiments
from reranksmart.report.plots import Plot, house_style, legend, level_ticks, line_with_band, look_of, new_figure
from reranksmart.report.reading import measures
from reranksmart.report.scope import sizes

if TYPE_CHECKING:
    import pandas as pd


def sample_efficiency_figure(measures: pd.DataFrame, asked: Asked) -> Plot:
    """Mean recall against the share of the training images."""
    scope = asked.named_scope
    chosen = scope.rows(measures, free=["system", "training_set"])
    chosen = chosen[(chosen["measure"] == "mR") & chosen["training_set"].isin(list(asked.training_sets))]
    with house_style():
        figure, (axes,) = new_figure()
        for place, system in enumerate(asked.systems):
            line = chosen[chosen["system"] == system]
            line = line.assign(share=line["training_set"].map(asked.training_sets).astype(float)).sort_values("share")
            if len(line):
                line_with_band(
                    axes, 100 * line["share"], line, look_of(system, place), asked.labels.get(system, system)
                )
        shares = sorted(100 * share for share in asked.training_sets.values())
        level_ticks(axes, shares, "{:g} %")
        axes.set_xlabel("share of the training images")
        axes.set_ylabel("mean recall mR (%)")
        legend(figure, axes)
    of_queries = scope.rows(measures, free=["system", "training_set"])
    return Plot(
        name=asked.name,
        title="Sample efficiency",
        caption=f"mR against the share of the training images, k = {scope.depth}. {sizes(of_queries)} Bands: the intervals "
        "or deviations.",
        figure=figure,
    )


KIND = Kind(
    OfExperiments,
    reads=(measures(),),
    make=sample_efficiency_figure,
    shows={"training_sets": (1, None)},
)
