"""Mean recall against the share of the training images."""

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, OfExperiments
from reranksmart.report.plots import Plot, house_style, legend, level_ticks, line_with_band, look_of, new_figure
from reranksmart.report.reading import measures
from reranksmart.report.scope import sizes
from reranksmart.values.frames import Frame


def sample_efficiency_figure(measures: Frame, asked: Asked) -> Plot:
    of_queries = asked.rows(measures, "training_set")
    chosen = of_queries[(of_queries["measure"] == "mR") & of_queries["training_set"].isin(list(asked.training_sets))]
    with house_style():
        figure, (axes,) = new_figure()
        for place, system in enumerate(asked.systems):
            line = chosen[chosen["system"] == system]
            line = line.assign(share=line["training_set"].map(asked.training_sets).astype(float)).sort_values("share")
            if len(line):
                line_with_band(axes, 100 * line["share"], line, look_of(system, place), asked.label(system))
        level_ticks(axes, sorted(100 * share for share in asked.training_sets.values()), "{:g} %")
        axes.set_xlabel("share of the training images")
        axes.set_ylabel("mean recall mR (%)")
        legend(figure, axes)
    return Plot(
        name=asked.name,
        title="Sample efficiency",
        caption=f"mR against the share of the training images, k = {asked.named_scope.depth}. {sizes(of_queries)} Bands: the "
        "intervals or deviations.",
        figure=figure,
    )


KIND = Kind(OfExperiments, reads=(measures(),), make=sample_efficiency_figure, shows={"training_sets": (1, None)})
