"""The figures of accuracy: against depth, against the share of the training set, and while learning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from reranksmart.report.labels import DIRECTIONS, SYSTEM_LABELS
from reranksmart.report.plots import Plot, house_style, legend, line_with_band, look_of, new_figure
from reranksmart.report.scope import Scope, sizes


def depth_figure(
    measures: pd.DataFrame,
    scope: Scope,
    *,
    measure: str = "R@1",
    systems: Sequence[str] = ("sep_coop", "joint_coop"),
    labels: Mapping[str, str] = SYSTEM_LABELS,
) -> Plot:
    """Accuracy against k, a panel a direction; level lines: the retrievers alone."""
    chosen = scope.rows(measures, free=["system", "depth"])
    retrievers = {"sep_coop": "be", "joint_coop": "joint_be", "joint_hard_coop": "joint_hard_be"}
    with house_style():
        figure, panels = new_figure(panels=2, width=8.2, height=3.6)
        for axes, direction in zip(panels, ("text-to-image", "image-to-text"), strict=True):
            of_panel = chosen[(chosen["direction"] == direction) & (chosen["measure"] == measure)]
            for place, system in enumerate(systems):
                line = of_panel[of_panel["system"] == system].sort_values("depth")
                if len(line):
                    line_with_band(axes, line["depth"], line, look_of(system, place), labels.get(system, system))
                alone = of_panel[of_panel["system"] == retrievers.get(system)]
                if len(alone):
                    look = look_of(retrievers[system], place)
                    name = f"{labels.get(retrievers[system], retrievers[system])} (no re-ranking)"
                    axes.axhline(
                        alone["value"].iloc[0], color=look.color, linestyle=look.linestyle, linewidth=1.2, label=name
                    )
            depths = sorted(set(of_panel["depth"]) - {0})
            if depths:
                axes.set_xscale("log")
                axes.xaxis.set_major_locator(FixedLocator(depths))
                axes.xaxis.set_minor_locator(NullLocator())
                axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
            axes.set_title(DIRECTIONS[direction])
            axes.set_xlabel("candidates re-ranked, k")
            axes.set_ylabel(f"{measure} (%)")
        legend(figure, *panels)
    return Plot(
        name="depth",
        title="Accuracy against the number of candidates re-ranked",
        caption=f"{measure} by depth k; level lines: the retriever alone. {sizes(chosen)} Bands: the intervals or deviations.",
        figure=figure,
    )


def sample_efficiency_figure(
    measures: pd.DataFrame,
    scope: Scope,
    *,
    fractions: Mapping[str, float],
    systems: Sequence[str] = ("be", "sep_coop", "joint_be", "joint_coop"),
    labels: Mapping[str, str] = SYSTEM_LABELS,
) -> Plot:
    """Mean recall against the share of the training images."""
    chosen = scope.rows(measures, free=["system", "training_set"])
    chosen = chosen[(chosen["measure"] == "mR") & chosen["training_set"].isin(list(fractions))]
    with house_style():
        figure, (axes,) = new_figure()
        for place, system in enumerate(systems):
            line = chosen[chosen["system"] == system]
            line = line.assign(share=line["training_set"].map(fractions).astype(float)).sort_values("share")
            if len(line):
                line_with_band(axes, 100 * line["share"], line, look_of(system, place), labels.get(system, system))
        shares = sorted(100 * share for share in fractions.values())
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(shares))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
        axes.set_xlabel("share of the training images")
        axes.set_ylabel("mean recall mR (%)")
        legend(figure, axes)
    of_queries = scope.rows(measures, free=["system", "training_set"])
    return Plot(
        name="sample_efficiency",
        title="Sample efficiency",
        caption=f"mR against the share of the training images, k = {scope.depth}. {sizes(of_queries)} Bands: the intervals "
        "or deviations.",
        figure=figure,
    )


def learning_curves_figure(histories: Mapping[str, Sequence[Mapping[str, object]]], *, seeds: int = 1) -> Plot:
    """A panel for each task's training loss, and one for dev mean recall with the selected step marked.

    ``histories``: by model (``be``, ``ce``, ``joint``, ...) the rows of its history.jsonl.
    """
    rows = [{"model": model, **row} for model, history in histories.items() for row in history]
    frame = pd.DataFrame(rows, columns=["model", "step", "task", "loss", "dev_mean_recall", "selected"])
    losses = frame[frame["loss"].notna()]
    tasks = list(dict.fromkeys(losses["task"]))
    looks = {"joint": look_of("joint_coop"), "joint_hard": look_of("joint_hard_coop")}
    with house_style():
        figure, panels = new_figure(panels=len(tasks) + 1, width=3.1 * (len(tasks) + 1), height=3.5)
        for place, model in enumerate(histories):
            look = looks.get(model, look_of(model, place))
            own = losses[losses["model"] == model]
            for axes, task in zip(panels, tasks, strict=False):
                line = own[own["task"] == task]
                if len(line):
                    steps, loss = line["step"].to_numpy(), line["loss"].to_numpy(dtype=np.float64)
                    axes.plot(steps, loss, color=look.color, alpha=0.22, linewidth=0.8)
                    axes.plot(
                        steps, _smooth(loss), color=look.color, linestyle=look.linestyle, label=_model_label(model)
                    )
            dev = frame[(frame["model"] == model) & frame["dev_mean_recall"].notna()]
            measured, picked = dev[dev["selected"].isna()], dev[dev["selected"].notna()]
            style: dict[str, Any] = {
                "color": look.color,
                "linestyle": look.linestyle,
                "marker": look.marker,
                "markersize": 4,
            }
            panels[-1].plot(measured["step"], measured["dev_mean_recall"], label=_model_label(model), **style)
            panels[-1].plot(
                picked["step"],
                picked["dev_mean_recall"],
                "o",
                ms=11,
                mfc="none",
                mec=look.color,
                mew=1.2,
                linestyle="none",
            )
        for axes, task in zip(panels, tasks, strict=False):
            axes.set_title(f"{str(task).replace('_', '-')} loss")
            axes.set_ylabel("training loss")
            axes.set_ylim(bottom=0)
        panels[-1].set_title("dev mean recall")
        panels[-1].set_ylabel("mR on dev (%)")
        for axes in panels:
            axes.set_xlabel("outer steps")
        legend(figure, panels[-1], *panels[:-1], below=True)
    return Plot(
        name="learning_curves",
        title="Learning curves",
        caption=f"Training loss of each task (faint: means of ten steps, line: smoothed) and mean recall on dev, "
        f"{'1 seed' if seeds == 1 else f'the first of {seeds} seeds'}; circles: the weights that were kept. A cross-encoder's dev recall is over fewer images "
        "than a bi-encoder's: compare within a model.",
        figure=figure,
    )


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A centred running mean over a fifteenth of the points; shorter at the ends."""
    reach = max(1, len(values) // 30)
    sums = np.cumsum(np.concatenate([[0.0], values]))
    places = np.arange(len(values))
    first, last = np.maximum(places - reach, 0), np.minimum(places + reach + 1, len(values))
    return (sums[last] - sums[first]) / (last - first)


def _model_label(model: str) -> str:
    return {"be": "BE", "ce": "CE", "joint": "Joint", "joint_hard": "Joint, hard negatives"}.get(model, model)
