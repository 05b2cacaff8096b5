"""The table that says of each idea whether it pays."""

from dataclasses import replace

import pandas as pd
import pytest

from reranksmart.report.asked import Asked
from reranksmart.report.tables.beyond import beyond_table

COLUMNS = ["system", "fusion", "IR", "TR", "pairs"]
ROWS = [
    ("joint_be", "none", (80, 81), (95, 96), 0),
    ("joint_coop", "none", (88, 90), (93, 94), 20),
    ("joint_coop", "better", (89, 91), (93, 95), 20),
    ("joint_coop", "one way", (92, 92), (92, 94), 20),
    ("joint_coop", "cheap", (87, 91), (92, 95), 3),
    ("joint_coop", "of one seed", (99,), (99,), 20),
]


@pytest.fixture
def seeds(asked: Asked) -> pd.DataFrame:
    scope = vars(asked.named_scope)
    rows = []
    for system, fusion, ir, tr, pairs in ROWS:
        for seed, (first, second) in enumerate(zip(ir, tr, strict=True), start=1):
            keys = {**scope, "system": system, "fusion": fusion, "depth": 20 * bool(pairs), "seed": seed}
            for way, value in (("text-to-image", first), ("image-to-text", second)):
                found = {"direction": way, "measure": "R@1", "value": float(value), "queries": 10}
                rows.append({**keys, **found, "pairs_scored": 10 * pairs})
            rows.append({**keys, "direction": "both", "measure": "mR", "value": 90.0, "queries": 20, "pairs_scored": 0})
    return pd.DataFrame(rows)


def test_each_idea_is_said_to_pay_or_not(seeds: pd.DataFrame, latency: pd.DataFrame, asked: Asked) -> None:
    settings = {"bi_encoder": "joint_be", "cooperation": "joint_coop"}
    table = beyond_table(seeds, latency, replace(asked, settings=settings, systems=("joint_be", "joint_coop"), seeds=2))
    said = {row.key: dict(zip([c.key for c in table.columns], row.cells, strict=True)) for row in table.rows}
    assert {key: cells["verdict"].text for key, cells in said.items()} == {
        "joint_be none": "compared with",
        "joint_coop none": "compared with",
        "joint_coop better": "pays against Joint+Coop: IR +1.0, TR +0.5",
        "joint_coop one way": "does not pay against Joint+Coop: IR +3.0, TR −0.5",
        "joint_coop cheap": "cheaper, not better against Joint+Coop: IR +0.0, TR +0.0",
    }
    assert said["joint_coop better"]["above joint_be"].text == "IR 2 of 2, TR 0 of 2"
    assert said["joint_coop cheap"]["text-to-image R@1"].value == 89
    assert said["joint_coop none"]["time_ms"].value > said["joint_coop cheap"]["time_ms"].value
    assert said["joint_be none"]["time_ms"].value < said["joint_coop cheap"]["time_ms"].value
