from dataclasses import replace

import pandas as pd
import pytest

from reranksmart.report.asked import Asked
from reranksmart.report.figures.cached_layers import cached_layers_figure
from reranksmart.report.tables.cached_layers import cached_layers_table
from reranksmart.report.tables.distillation import distillation_table

SYSTEMS = ("joint_coop", "joint_hard_coop")


@pytest.fixture
def costs() -> pd.DataFrame:
    rows = []
    for system, factor in (("joint_coop", 3.0), ("joint_hard_coop", 1.0)):
        for kind, pairs in (("query", 20), ("bulk", 1000)):
            for repeat in range(5):
                time_ms = factor * pairs / 10 * (1 + repeat / 10)
                row = {"system": system, "kind": kind, "pairs": pairs, "repeat": repeat, "time_ms": time_ms}
                rows.append(row | {"bytes_per_image": 3500.0})
    return pd.DataFrame(rows).assign(device="Made-up CPU", dtype="float32", threads=1)


def test_cached_layers_stand_with_their_accuracy_time_rate_and_bytes(
    measures: pd.DataFrame, costs: pd.DataFrame, asked: Asked
) -> None:
    table = cached_layers_table(measures, costs, replace(asked, systems=SYSTEMS))
    (whole, stored) = (dict(zip([c.key for c in table.columns], row.cells, strict=True)) for row in table.rows)
    assert whole["text-to-image R@1"].value == 85
    assert whole["query"].value == pytest.approx(3 * 2 * 1.2)
    assert whole["query"].low < whole["query"].value < whole["query"].high
    assert stored["bulk"].value == round(1000 * 1000 / (100 * 1.2))
    assert stored["bytes"].value == 3500
    assert "5 queries" in table.caption
    assert "Made-up CPU" in table.caption


def test_a_system_that_was_not_timed_says_so(measures: pd.DataFrame, costs: pd.DataFrame, asked: Asked) -> None:
    table = cached_layers_table(measures, costs, replace(asked, systems=(*SYSTEMS, "sep_coop")))
    assert [cell.missing != "" for cell in table.rows[2].cells] == [False] * 3 + [True] * 3


def test_the_figure_has_a_point_for_each_timed_system(
    measures: pd.DataFrame, costs: pd.DataFrame, asked: Asked
) -> None:
    plot = cached_layers_figure(measures, costs, replace(asked, systems=(*SYSTEMS, "sep_coop")))
    assert [text.get_text() for text in plot.figure.legends[0].get_texts()] == [
        "Joint+Coop",
        "Joint+Coop, hard negatives",
    ]
    assert "batches of 1,000" in plot.caption


def test_distillation_stands_beside_joint_training(measures: pd.DataFrame, asked: Asked) -> None:
    table = distillation_table(measures, replace(asked, systems=("joint_be", "joint_hard_be")))
    assert [row.cells[0].value for row in table.rows] == [81, 82]
