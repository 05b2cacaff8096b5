"""Training loss of each task, and mean recall on dev."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reranksmart.files.storage import read_jsonl
from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, OfExperiments, Reads
from reranksmart.report.plots import Plot, house_style, legend, look_of, new_figure


def learning_curves_figure(histories: Mapping[str, Sequence[Mapping[str, object]]], asked: Asked) -> Plot:
    """A panel for each task's training loss, and one for dev mean recall with the selected step marked.

    ``histories``: by model (``be``, ``ce``, ``joint``, ...) the rows of its history.jsonl.
    """
    import pandas as pd

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
        name=asked.name,
        title="Learning curves",
        caption=f"Training loss of each task (faint: means of ten steps, line: smoothed) and mean recall on dev, "
        f"{'1 seed' if asked.seeds == 1 else f'the first of {asked.seeds} seeds'}; circles: the weights that were kept. A cross-encoder's dev recall is over fewer images "
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


def read_histories(files: Sequence[Path], asked: Asked) -> dict[str, list[dict[str, Any]]]:
    """By the model's name in the words of the figures: ``joint`` of ``oscar/scenes/joint/seed1/model/history.jsonl``."""
    words = {"bi_encoder": "be", "cross_encoder": "ce"}
    return {words.get(path.parts[-4], path.parts[-4]): read_jsonl(path) for path in files}


def require_trained(config: Any, path: str, entry: OfExperiments) -> None:
    """ValueError where the experiments' models are all taken as they are."""
    systems = [name for experiment in entry.experiments for name in config.experiments[experiment].systems]
    objectives = {objective for name in systems for _, objective in config.systems[name].roles("").values()}
    if not any(config.objectives[objective].steps for objective in objectives):
        raise ValueError(
            f"{path}: no model of experiments {list(entry.experiments)} is trained (steps of {sorted(objectives)} are 0); "
            "name an experiment whose models are, or set this figure to null."
        )


KIND = Kind(
    OfExperiments,
    reads=(Reads(lambda places: places.trained(), "history.jsonl", read_histories),),
    make=learning_curves_figure,
    check=require_trained,
)
