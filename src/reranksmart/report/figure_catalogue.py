"""Which function makes which figure, and from which files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from reranksmart.files.storage import read_jsonl
from reranksmart.report.beyond import cached_layers_figure
from reranksmart.report.cost_figures import accuracy_latency_figure, latency_figure
from reranksmart.report.figures import depth_figure, learning_curves_figure, sample_efficiency_figure
from reranksmart.report.inputs import ReportSettings, read_measures
from reranksmart.report.plots import Plot
from reranksmart.report.scope import Scope


def make_figure(name: str, inputs: Sequence[Path], settings: ReportSettings) -> Plot:
    """The named figure. ``inputs``: folders of measures, of latency, or of trained models."""
    scope = Scope(**settings.scope) if settings.scope else None
    match name:
        case "learning_curves":
            histories = {_model_name(folder): read_jsonl(folder / "history.jsonl") for folder in inputs}
            return learning_curves_figure(histories, seeds=settings.seeds)
        case "latency":
            return latency_figure(pd.read_csv(inputs[0] / "latency.csv"), labels=settings.labels)
        case "cached_layers" if scope:
            return cached_layers_figure(
                read_measures(inputs[1:]),
                pd.read_csv(inputs[0] / "pair_costs.csv"),
                scope,
                systems=settings.systems,
                labels=settings.labels,
            )
        case "accuracy_latency" if scope:
            times = pd.read_csv(inputs[0] / "latency.csv")
            return accuracy_latency_figure(
                read_measures(inputs[1:]),
                times,
                scope,
                exhaustive_test_set=settings.other_test_set,
                labels=settings.labels,
            )
        case "depth" if scope:
            return depth_figure(read_measures(inputs), scope, systems=settings.systems, labels=settings.labels)
        case "sample_efficiency" if scope:
            return sample_efficiency_figure(
                read_measures(inputs),
                scope,
                fractions=settings.fractions or {},
                systems=settings.systems,
                labels=settings.labels,
            )
    raise ValueError(f"no figure is called {name!r}; there are learning_curves, latency, accuracy_latency, depth, ...")


def _model_name(folder: Path) -> str:
    """``joint`` of ``models/oscar/scenes/joint/seed1/model``, in the words of the figures."""
    objective = folder.parts[-3]
    return {"bi_encoder": "be", "cross_encoder": "ce"}.get(objective, objective)
