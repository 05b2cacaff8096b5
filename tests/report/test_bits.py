"""The tables of precision and of the planned evaluation, from made-up measures."""

import pandas as pd
import pytest

from reranksmart.report.asked import Asked
from reranksmart.report.rendering import markdown
from reranksmart.report.table import Cell, Table
from reranksmart.report.tables.planned_evaluation import card_rates, operations, planned_table
from reranksmart.report.tables.precision import precision_table

PLANNED = {
    "network": {"hidden_size": 768, "layers": 12, "intermediate_size": 3072, "feature_size": 2048},
    **{"captions": 25_000, "images": 5_000, "depth": 20, "tokens": 14, "regions": 50},
    "cards": {"H100": {"tflops": 790, "pairs_a_second": 30_000}},
}
RATES = pd.DataFrame(
    [
        {"stage": stage, "precision": "float32", "repeat": repeat, "count": 10, "computed_ms": 20_000 / rate}
        for stage, rate in (("captions", 100.0), ("images", 50.0), ("pairs", 20.0))
        for repeat in range(2)
    ]
).assign(device="Made-up CPU", threads=2)


@pytest.fixture
def planned() -> Table:
    return planned_table(RATES, Asked(planned=PLANNED))


def cells(table: Table, row: str) -> dict[str, Cell]:
    found = next(found for found in table.rows if found.key == row)
    return {column.key: cell for column, cell in zip(table.columns, found.cells, strict=True)}


def test_a_planned_evaluation_follows_from_the_rates(planned: Table) -> None:
    own = cells(planned, "float32")
    encode = 25_000 / 100 + 5_000 / 50
    assert own["be"].value == pytest.approx(encode)
    assert own["coop"].value == pytest.approx(encode + 30_000 * 20 / 20)
    assert own["ce"].value == pytest.approx(25_000 * 5_000 / 20)
    assert all(own[system].extrapolated for system in ("be", "coop", "ce"))


def test_the_paper_s_times_stand_beside(planned: Table) -> None:
    paper = cells(planned, "paper")
    assert [paper[system].value for system in ("be", "coop", "ce")] == [30, 1500, 180_000]
    assert paper["pairs"].value is None


def test_a_card_is_called_an_estimate_and_its_floor_follows_from_its_peak(planned: Table) -> None:
    assert "H100, floor: estimate" in markdown(planned)
    floor, aim = cells(planned, "H100 floor"), cells(planned, "H100 aim")
    assert 65_000 < floor["pairs"].value < 75_000
    assert floor["ce"].value < aim["ce"].value
    assert aim["pairs"].value == 30_000


def test_a_pair_costs_eleven_gigaflop_and_a_card_reads_short_inputs_faster() -> None:
    assert operations(PLANNED, texts=True, regions=True) == pytest.approx(11e9, rel=0.03)
    rates = card_rates(1000, PLANNED)
    assert rates["captions"] > 4 * rates["pairs"]
    assert rates["pairs"] < rates["images"] < rates["captions"]


def test_precisions_stand_beside_float32_with_the_interval_of_the_change() -> None:
    rows = [
        {"direction": way, "stage": stage, "precision": name, "queries": 320, "overlap": overlap, "r_at_1": 80 + change}
        | {"change": change, "low": change - 1, "high": change + 1}
        for way in ("text-to-image", "image-to-text")
        for stage in ("encode", "rerank")
        for name, overlap, change in (("float32", 1.0, 0.0), ("int8", 0.98, -0.5))
    ]
    costs = pd.DataFrame(rows).assign(depth=20, device="Made-up CPU", threads=1)
    table = precision_table(costs, Asked(systems=("sep_coop",), dataset="scenes"))
    assert table.caption.startswith("Retriever and reranker of Sep+Coop, one seed, one caption an image.")
    assert [(row.group, row.label) for row in table.rows] == [
        *(("retrieval", "float32"), ("retrieval", "int8"), ("retrieval", "bfloat16")),
        *(("re-ranking", "float32"), ("re-ranking", "int8"), ("re-ranking", "bfloat16")),
    ]
    assert {cell.missing for cell in cells(table, "rerank bfloat16").values()} == {"not native here"}
    own = cells(table, "rerank int8")
    change = own["image-to-text change"]
    assert (change.value, change.low, change.high) == (-0.5, -1.5, 0.5)
    assert own["text-to-image overlap"].value == 98
    assert cells(table, "encode float32")["text-to-image change"].missing == "what the others are compared with"
    assert "IR overlap at 20" in markdown(table)
    assert "320 queries a direction" in table.caption
