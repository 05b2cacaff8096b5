"""Which function makes which table, and from which files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from reranksmart.files.storage import read_json
from reranksmart.report.ablations import depth_table, fusion_table, hard_negatives_table, sample_efficiency_table
from reranksmart.report.accuracy import languages_table, main_table, twins_table
from reranksmart.report.audit import audit_table, with_leaks
from reranksmart.report.backbones import joined
from reranksmart.report.beyond import cached_layers_table, distillation_table
from reranksmart.report.bits import planned_table, precision_table
from reranksmart.report.claims import claims_table
from reranksmart.report.costs import cost_table, evaluation_time_table, index_table, latency_table
from reranksmart.report.extended import extended_table
from reranksmart.report.features import region_table
from reranksmart.report.inputs import ReportSettings, read_measures
from reranksmart.report.labels import system_label
from reranksmart.report.paper import paper_numbers, with_paper, with_published
from reranksmart.report.scope import Scope
from reranksmart.report.tables import Table
from reranksmart.report.transfers import enlarged_galleries_table, enlarged_table, transfer_matrix_table, transfer_table


def make_table(name: str, inputs: Sequence[Path], settings: ReportSettings) -> Table:
    """The named table, the paper's values beside ours. ``inputs``: folders of measures, or the file it is about."""
    numbers = paper_numbers()
    if not settings.kind:
        own = with_paper(_made(name, inputs, settings), numbers)
        return with_published(own, numbers, settings.published, dataset=settings.dataset)
    table = _made(settings.kind, inputs, settings)
    table = replace(table, name=name, title=f"{table.title}, {settings.title}")
    if settings.paper_dataset in set(numbers["dataset"]):
        table = with_paper(replace(table, paper_dataset=settings.paper_dataset), numbers)
    else:
        shown = table.paper_dataset if settings.paper_dataset else ""
        table = replace(table, paper_table="", paper_dataset=shown)
    return with_published(table, numbers, settings.published, dataset=settings.dataset)


def _made(kind: str, inputs: Sequence[Path], settings: ReportSettings) -> Table:
    if not settings.backbones:
        return _TABLES[kind](inputs, settings)
    return joined(
        {
            backbone: _TABLES[kind](
                inputs, replace(settings, scope={**settings.scope, "backbone": backbone, "language": language})
            )
            for backbone, language in settings.backbones
        }
    )


def _of_measures(make: Callable[..., Table], *options: str) -> Callable[[Sequence[Path], ReportSettings], Table]:
    """A table of the long measures; ``options`` name the settings it takes beside systems."""

    def table(inputs: Sequence[Path], settings: ReportSettings) -> Table:
        values = {
            "exhaustive_test_set": settings.other_test_set,
            "unseen_test_set": settings.other_test_set,
            "enlarged_test_set": settings.other_test_set,
            "fractions": settings.fractions,
            "languages": settings.languages,
            "test_sets": dict(settings.test_sets),
        }
        return make(
            read_measures(inputs, settings.audits),
            Scope(**settings.scope),
            systems=settings.systems,
            labels=settings.labels,
            dataset=settings.dataset,
            **{option: values[option] for option in options},
        )

    return table


def _of_file(
    make: Callable[..., Table], file: str, **options: Any
) -> Callable[[Sequence[Path], ReportSettings], Table]:
    def table(inputs: Sequence[Path], settings: ReportSettings) -> Table:
        frame = pd.read_csv(inputs[0] / file)
        return make(frame, labels=settings.labels, dataset=settings.dataset, **options)

    return table


_TABLES: Mapping[str, Callable[[Sequence[Path], ReportSettings], Table]] = {
    "table1_main": _of_measures(main_table, "exhaustive_test_set"),
    "table2_languages": _of_measures(languages_table, "languages"),
    "table3_latency": _of_file(latency_table, "latency.csv", paper_depth=20),
    "table4_evaluation_time": _of_file(evaluation_time_table, "evaluation_time.csv"),
    "transfer": _of_measures(transfer_table, "unseen_test_set"),
    "transfer_matrix": _of_measures(transfer_matrix_table, "test_sets"),
    "enlarged_gallery": _of_measures(enlarged_table, "enlarged_test_set"),
    "enlarged_galleries": _of_measures(enlarged_galleries_table, "test_sets"),
    "sample_efficiency": _of_measures(sample_efficiency_table, "fractions"),
    "depth": _of_measures(depth_table),
    "fusion": _of_measures(fusion_table),
    "hard_negatives": _of_measures(hard_negatives_table),
    "twins": _of_measures(twins_table),
    "eccv_caption": _of_measures(partial(extended_table, collection="eccv_caption")),
    "cxc": _of_measures(partial(extended_table, collection="cxc")),
    "distillation": _of_measures(distillation_table),
    "cached_layers": lambda inputs, settings: cached_layers_table(
        read_measures(inputs[1:], settings.audits),
        pd.read_csv(inputs[0] / "pair_costs.csv"),
        Scope(**settings.scope),
        systems=settings.systems,
        labels=settings.labels,
        dataset=settings.dataset,
    ),
    "cost": _of_file(cost_table, "cost.csv"),
    "precision": lambda inputs, settings: precision_table(
        pd.read_csv(inputs[0] / "precision.csv"),
        system=system_label(settings.systems[0], settings.labels),
        dataset=settings.dataset,
    ),
    "planned_evaluation": lambda inputs, settings: planned_table(
        pd.read_csv(inputs[0] / "rates.csv"), settings.planned or {}, paper_numbers()
    ),
    "index_recall": lambda inputs, settings: index_table(
        pd.read_csv(inputs[0] / "index_recall.csv"), dataset=settings.dataset
    ),
    "region_recall": lambda inputs, settings: region_table(
        {folder.name: read_json(folder / "recall.json") for folder in inputs}, dataset=settings.dataset
    ),
    "audit": lambda inputs, settings: audit_table(
        [row for path in inputs for row in read_json(path)], dataset=settings.dataset
    ),
    "claims": lambda inputs, settings: claims_table(
        with_leaks(pd.read_csv(inputs[0]), map(Path, settings.audits)),
        paper_numbers(),
        labels=settings.labels,
        dataset=settings.dataset,
        test_sets={name: label for name, label in settings.test_sets if label},
    ),
}
