from pathlib import Path

import pandas as pd
import pytest

from reranksmart.report.paper import paper_numbers, paper_value, with_paper, with_published
from reranksmart.report.table import Cell, Column, Row, Table


def test_every_number_that_the_protocol_knows_is_shipped() -> None:
    known = paper_numbers().dropna(subset="value")
    counts = known.groupby("table").size().to_dict()
    assert counts == {
        **{"table1": 30, "table2": 4, "table3": 3, "table4": 5, "table8": 6, "table9": 3},
        **{"field": 28, "field_gain": 8},
    }
    assert (known["source"] != "").all()


@pytest.mark.parametrize(
    ("table", "row", "column", "dataset", "value"),
    [
        ("table1", "ce", "text-to-image R@1", "MSCOCO 5k", 52.6),
        ("table1", "joint_coop", "rsum", "MSCOCO 5k", 481.9),
        ("table1", "joint_coop", "text-to-image R@10", "Flickr30k 1k (Entities)", 96.2),
        ("table2", "joint_coop", "cs mR", "Multi30k", 74),
        ("table3", "ce", "latency_ms at 50000 images", "MSCOCO 5k", 120_000),
        ("table4", "coop", "seconds", "MSCOCO 5k", 1500),
        ("table8", "joint_coop k=50", "image-to-text R@1", "MSCOCO 5k", 70.7),
        ("table9", "weighted_probability 0.9", "text-to-image R@1", "Flickr30k 1k (Entities)", 74.6),
        ("field", "BLIP-2", "image-to-text R@1", "Flickr30k 1k (Karpathy)", 97.6),
        ("table1", "joint_ce", "mR", "MSCOCO 5k", None),
        ("table1", "be", "text-to-image R@5", "MSCOCO 5k", None),
        ("transfer", "coco joint_coop", "flickr30k mR", "MSCOCO 5k and Flickr30k 1k (Entities)", None),
        ("enlarged_gallery", "joint_coop", "enlarged mR", "Flickr30k 1k (Entities)", None),
    ],
)
def test_sentinel_cells(table: str, row: str, column: str, dataset: str, value: float | None) -> None:
    assert paper_value(paper_numbers(), table=table, row=row, column=column, dataset=dataset) == value


def test_mean_recall_is_a_sixth_of_rsum() -> None:
    table1 = paper_numbers().query("table == 'table1' and dataset == 'MSCOCO 5k'")
    wide = table1.pivot_table(index="row", columns="column", values="value")
    assert (wide["rsum"] / 6 - wide["mR"]).abs().max() < 0.006


def test_a_value_without_a_source_is_an_error(tmp_path: Path) -> None:
    numbers = paper_numbers()
    numbers.loc[0, "source"] = ""
    numbers.to_csv(tmp_path / "numbers.csv", index=False)
    with pytest.raises(ValueError, match=r"without a source.*'ce'"):
        paper_numbers(tmp_path / "numbers.csv")


def test_two_values_of_one_cell_are_an_error(tmp_path: Path) -> None:
    numbers = paper_numbers()
    pd.concat([numbers, numbers.iloc[[0]]]).to_csv(tmp_path / "numbers.csv", index=False)
    with pytest.raises(ValueError, match="two values"):
        paper_numbers(tmp_path / "numbers.csv")


def test_a_table_that_is_none_of_the_papers_keeps_its_cells() -> None:
    row = Row("a", "a", (Cell(value=1.0, paper=2.0),))
    table = Table("own", "Own", "", "row", (Column("x", "x"),), (row,))
    assert with_paper(table, paper_numbers()) == table


def test_published_results_stand_below_with_what_is_known_of_them():
    columns = (Column("text-to-image R@1", "IR R@1"), Column("image-to-text R@5", "TR R@5"))
    own = Table("t", "T", "", "system", columns, (Row("be", "BE", (Cell(value=1.0), Cell(value=2.0))),), "MSCOCO 5k")
    found = with_published(own, paper_numbers(), ["BLIP-base"], dataset="MSCOCO 5k")
    assert [row.label for row in found.rows] == ["BE", "BLIP-base"]
    assert found.rows[1].cells[0].value == 64.3
    assert found.rows[1].cells[1].missing
    assert with_published(own, paper_numbers(), [], dataset="MSCOCO 5k") is own
    with pytest.raises(ValueError, match=r"no published results are known of.*BLIP-3.*BLIP-base"):
        with_published(own, paper_numbers(), ["BLIP-3"], dataset="MSCOCO 5k")
