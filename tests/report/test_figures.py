from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reranksmart.report.asked import Asked
from reranksmart.report.figures.accuracy_latency import accuracy_latency_figure, pareto_front
from reranksmart.report.figures.depth import depth_figure
from reranksmart.report.figures.latency import latency_figure
from reranksmart.report.figures.learning_curves import learning_curves_figure
from reranksmart.report.figures.sample_efficiency import sample_efficiency_figure
from reranksmart.report.plots import LOOKS, Plot, read_plot, save_plot


def labels_of(plot: Plot) -> list[str]:
    return [text.get_text() for text in plot.figure.legends[0].get_texts()]


def test_files_repeat_byte_for_byte(latency: pd.DataFrame, tmp_path: Path) -> None:
    for folder in ("first", "second"):
        save_plot(latency_figure(latency, Asked(name="latency")), tmp_path / folder)
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert names == ["latency.pdf", "latency.png", "latency.svg", "latency.txt"]
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    saved = read_plot(tmp_path / "first" / "latency.txt")
    assert saved.title == "Latency of one query against gallery size"
    assert "Made-up CPU, 1 thread, float32" in saved.caption
    assert "Hollow and dashed: extrapolated" in saved.caption


def test_latency_draws_extrapolated_points_dashed_hollow_and_named(latency: pd.DataFrame) -> None:
    plot = latency_figure(latency, Asked())
    assert labels_of(plot) == [
        *("BE", "Sep+Coop, k = 10", "Sep+Coop, k = 20", "Sep+Coop, k = 50", "CE", "CE (extrapolated)"),
    ]
    line = next(line for line in plot.figure.axes[0].lines if line.get_label() == "CE (extrapolated)")
    assert line.get_markerfacecolor() == "white"
    assert line.get_linestyle() != "-"
    assert line.get_xdata().tolist() == [1000, 10_000, 100_000, 1_000_000]


def test_accuracy_latency_joins_only_points_of_the_same_queries(
    measures: pd.DataFrame, latency: pd.DataFrame, asked: Asked
) -> None:
    plot = accuracy_latency_figure(measures, latency, asked)
    assert "CE (one caption an image)" in labels_of(plot)
    front = next(line for line in plot.figure.axes[0].lines if line.get_label() == "Pareto front")
    assert max(front.get_ydata()) == pytest.approx(87.2)  # the CE's 88 is of other queries
    assert "300 images" in plot.caption
    assert "Hollow, on one caption an image: n = 1,500 captions" in plot.caption
    assert "Not timed, and so not shown: Sep+Coop, k = 5; Joint+Coop, k = 5." in plot.caption


def test_pareto_front_holds_what_nothing_beats() -> None:
    costs, values = np.array([1.0, 2, 2, 3, 4]), np.array([50.0, 60, 55, 60, 70])
    assert pareto_front(costs, values).tolist() == [True, True, False, False, True]


def test_depth_and_sample_efficiency_draw_every_setting(measures: pd.DataFrame, asked: Asked) -> None:
    depth = depth_figure(measures, asked)
    assert labels_of(depth) == ["Sep+Coop", "BE (no re-ranking)", "Joint+Coop", "Joint+BE (no re-ranking)"]
    assert depth.figure.axes[0].lines[0].get_xdata().tolist() == [5, 10, 20, 50]
    fractions = {"scenes_tenth": 0.1, "scenes_quarter": 0.25, "scenes": 1.0}
    sample = sample_efficiency_figure(measures, replace(asked, training_sets=fractions))
    assert sample.figure.axes[0].lines[0].get_xdata().tolist() == pytest.approx([10, 25, 100])
    assert "n = 1,500 captions and 300 images" in sample.caption


def test_learning_curves_have_a_panel_for_each_task_and_mark_what_was_kept(
    histories: dict[str, list[dict[str, object]]],
) -> None:
    plot = learning_curves_figure(histories, Asked())
    titles = [axes.get_title(loc="left") for axes in plot.figure.axes]
    assert titles == ["bi-encoder loss", "cross-encoder loss", "dev mean recall"]
    assert labels_of(plot) == ["BE", "CE", "Joint"]
    assert "1 seed;" in plot.caption
    assert "the first of 3 seeds;" in learning_curves_figure(histories, Asked(seeds=3)).caption
    kept = [line for line in plot.figure.axes[-1].lines if line.get_markerfacecolor() == "none"]
    assert [line.get_xdata()[0] for line in kept] == [history[-1]["step"] for history in histories.values()]


def test_every_system_is_told_apart_without_colour() -> None:
    assert len({look.marker for look in LOOKS.values()}) == len(LOOKS)
