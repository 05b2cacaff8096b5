"""What goes beyond the paper: layers that read text and image apart, and a cross-encoder that teaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from reranksmart.report.costs import machine
from reranksmart.report.labels import DIRECTIONS, SYSTEM_LABELS, system_label
from reranksmart.report.plots import Plot, bounds, house_style, legend, look_of, new_figure
from reranksmart.report.scope import MEASURES, NOT_RUN, SHORT_COLUMNS, Scope, cell_of, row_of, sizes
from reranksmart.report.tables import Cell, Column, Row, Table


def distillation_table(
    measures: pd.DataFrame,
    scope: Scope,
    *,
    systems: Sequence[str],
    labels: Mapping[str, str] = SYSTEM_LABELS,
    dataset: str = "",
) -> Table:
    """Joint training with and without a cross-encoder that teaches the bi-encoder."""
    chosen = scope.rows(measures, free=["system"])
    return Table(
        name="distillation",
        title="Distillation: the joint model's cross-encoder teaches its bi-encoder",
        caption=f"{MEASURES} Re-ranking at k = {scope.depth}. {sizes(chosen[chosen['system'].isin(systems)])} Not in the "
        "paper.",
        header="system",
        columns=SHORT_COLUMNS,
        rows=tuple(row_of(chosen, system, SHORT_COLUMNS, labels) for system in systems),
        dataset=dataset,
    )


def cached_layers_table(
    measures: pd.DataFrame,
    costs: pd.DataFrame,
    scope: Scope,
    *,
    systems: Sequence[str],
    labels: Mapping[str, str] = SYSTEM_LABELS,
    dataset: str = "",
) -> Table:
    """Accuracy against the cost of re-ranking, by the number of first layers that read text and image apart."""
    chosen = scope.rows(measures, free=["system"])
    times = pair_quantiles(costs)
    columns = (
        *SHORT_COLUMNS,
        Column("query", f"one query, {scope.depth} pairs", unit="ms", in_paper=False),
        Column("bulk", "pairs a second in bulk", unit="count", in_paper=False),
        Column("bytes", "stored bytes an image", unit="bytes", in_paper=False),
    )
    rows = []
    for system in systems:
        of_system = chosen[chosen["system"] == system]
        cells = [cell_of(of_system, column.key) for column in SHORT_COLUMNS]
        query, bulk = (times.loc[times["system"].eq(system) & times["kind"].eq(kind)] for kind in ("query", "bulk"))
        if len(query) and len(bulk):
            timed, many = query.iloc[0], bulk.iloc[0]
            cells += [
                Cell(value=timed["value"], low=timed["low"], high=timed["high"]),
                Cell(value=round(1000 * many["pairs"] / many["value"])),
                Cell(value=timed["bytes_per_image"]),
            ]
        else:
            cells += [Cell(missing=NOT_RUN)] * 3
        rows.append(Row(system, system_label(system, labels), tuple(cells)))
    timed_queries = int(times.loc[times["kind"] == "query", "repeats"].min())
    return Table(
        name="cached_layers",
        title="Layers that read text and image apart, so that their states can be stored",
        caption=f"{MEASURES} Re-ranking at k = {scope.depth}. {sizes(chosen[chosen['system'].isin(systems)])} Time of the "
        f"pairs of one query, images' states at hand, the caption's computed: median and 5th to 95th percentile of "
        f"{timed_queries} queries; in bulk: median of {int(times.loc[times['kind'] == 'bulk', 'repeats'].min())} batches of "
        f"{int(costs.loc[costs['kind'] == 'bulk', 'pairs'].max()):,} pairs; on "
        f"{machine(costs)}, the models taking turns. Not in the paper (MacAvaney et al. 2020 do so for documents).",
        header="system",
        columns=columns,
        rows=tuple(rows),
        dataset=dataset,
    )


def pair_quantiles(costs: pd.DataFrame) -> pd.DataFrame:
    """Median, 5th and 95th percentile (``value``, ``low``, ``high``) of each system and kind, with bytes an image."""
    grouped = costs.groupby(["system", "kind"], sort=False)
    found = grouped["time_ms"].quantile([0.05, 0.5, 0.95]).unstack().set_axis(["low", "value", "high"], axis=1)
    others = grouped.agg(
        pairs=("pairs", "first"), repeats=("repeat", "nunique"), bytes_per_image=("bytes_per_image", "first")
    )
    return found.join(others).reset_index()


def cached_layers_figure(
    measures: pd.DataFrame,
    costs: pd.DataFrame,
    scope: Scope,
    *,
    systems: Sequence[str],
    labels: Mapping[str, str] = SYSTEM_LABELS,
    measure: str = "R@1",
) -> Plot:
    """Accuracy against the time of a pair in bulk, a panel a direction."""
    chosen = scope.rows(measures, free=["system"])
    bulk = pair_quantiles(costs).query("kind == 'bulk'").set_index("system")
    with house_style():
        figure, panels = new_figure(panels=2, width=8.2, height=3.6)
        for axes, direction in zip(panels, ("text-to-image", "image-to-text"), strict=True):
            of_panel = chosen[(chosen["direction"] == direction) & (chosen["measure"] == measure)]
            for place, system in enumerate(systems):
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
                    label=labels.get(system, system),
                )
            axes.set_xlim(left=0)
            axes.set_title(DIRECTIONS[direction])
            axes.set_xlabel("time of one pair in bulk (µs)")
            axes.set_ylabel(f"{measure} (%)")
        legend(figure, *panels)
    return Plot(
        name="cached_layers",
        title="Accuracy against the cost of re-ranking, by the layers that are stored",
        caption=f"{measure} after re-ranking k = {scope.depth}, against the median time of a pair in batches of "
        f"{int(bulk['pairs'].max()):,} on {machine(costs)}, the models taking turns. "
        f"{sizes(chosen[chosen['system'].isin(systems)])}",
        figure=figure,
    )
