import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

from reranksmart.report.asked import Asked
from reranksmart.report.conclusion import conclusion
from reranksmart.report.deviations import deviations, deviations_table
from reranksmart.report.labels import number, span
from reranksmart.report.latex import compact_latex, latex
from reranksmart.report.making import stacked
from reranksmart.report.paper import paper_numbers, with_paper
from reranksmart.report.rendering import markdown, notes, read_written_table, wide
from reranksmart.report.scope import Scope, cell_of
from reranksmart.report.summary import facts, headline, summary_text
from reranksmart.report.table import Cell, Column, Row, Table
from reranksmart.report.tables.claims import claims_table
from reranksmart.report.tables.cost import cost_table
from reranksmart.report.tables.depth import depth_table
from reranksmart.report.tables.enlarged_gallery import enlarged_table
from reranksmart.report.tables.evaluation_time import evaluation_time_table
from reranksmart.report.tables.fusion import fusion_table
from reranksmart.report.tables.hard_negatives import hard_negatives_table
from reranksmart.report.tables.index_recall import index_table
from reranksmart.report.tables.languages import languages_table
from reranksmart.report.tables.latency import latency_table
from reranksmart.report.tables.main import main_table
from reranksmart.report.tables.sample_efficiency import sample_efficiency_table
from reranksmart.report.tables.transfer import transfer_table
from reranksmart.report.tables.twins import twins_table
from reranksmart.report.times import quantiles
from reranksmart.report.writing import write_table

NUMBERS = paper_numbers()


def cell(table: Table, row: str, column: str, group: str | None = None) -> Cell:
    place = [found.key for found in table.columns].index(column)
    return next(found for found in table.rows if found.key == row and group in (None, found.group)).cells[place]


@pytest.fixture(scope="module")
def main(measures: pd.DataFrame, asked: Asked) -> Table:
    return with_paper(main_table(measures, asked), NUMBERS)


def test_main_table_has_ours_with_interval_and_the_papers_beside(main: Table) -> None:
    found = cell(main, "sep_coop", "text-to-image R@1", "all captions")
    assert (found.value, found.low, found.high, found.paper) == (87, 85.5, 88.5, 52.8)
    assert [row.key for row in main.rows[:6]] == ["ce", "be", "sep_coop", "joint_be", "joint_ce", "joint_coop"]
    assert [column.label for column in main.columns] == [
        *("IR R@1", "IR R@5", "IR R@10", "TR R@1", "TR R@5", "TR R@10"),
        *("rsum", "mR"),
    ]


def test_exhaustive_scores_stand_in_their_own_group_with_the_same_queries_of_others(main: Table) -> None:
    assert cell(main, "ce", "mR", "all captions").value is None
    assert cell(main, "ce", "mR", "all captions").paper == 79.33
    own = [row.key for row in main.rows if row.group == "one caption an image"]
    assert own == ["ce", "be", "sep_coop", "joint_be", "joint_ce", "joint_coop"]
    assert all(found.paper is None for row in main.rows if row.group == "one caption an image" for found in row.cells)


def test_a_missing_cell_is_shown_as_missing_and_says_why(measures: pd.DataFrame, asked: Asked) -> None:
    without = measures[measures["system"] != "sep_coop"]
    table = with_paper(main_table(without, replace(asked, test_sets=(("test", ""),))), NUMBERS)
    lines = {line[0]: line[1:] for line in wide(table)}
    assert set(lines["Sep+Coop"]) == {"–"}
    assert lines["Sep+Coop (paper)"][:2] == ["52.8", "–"]
    assert "\n– not part of this run.\n" in markdown(table)
    assert "Its cells with – are not known to this project." in markdown(table)


def test_two_experiments_for_one_cell_are_an_error(measures: pd.DataFrame, scope: Scope) -> None:
    rows = scope.rows(measures, free=["depth"], instead={"system": "sep_coop"})
    with pytest.raises(ValueError, match=r"4 experiments claim one cell \(mR\).*depth"):
        cell_of(rows, "mR")


def test_measures_not_aggregated_over_seeds_are_an_error(measures: pd.DataFrame, scope: Scope) -> None:
    with pytest.raises(ValueError, match="aggregate_seeds"):
        scope.rows(measures.drop(columns="seeds"))


def test_seeds_show_their_deviation_instead_of_an_interval(measures: pd.DataFrame, asked: Asked) -> None:
    several = measures.assign(seeds=3, sd=0.7, low=np.nan, high=np.nan)
    table = main_table(several, replace(asked, test_sets=(("test", ""),)))
    assert wide(table)[1][1] == "79.0 ± 0.7"
    assert "3 seeds; ± the standard deviation over seeds" in table.caption


def test_languages_stand_in_columns(measures: pd.DataFrame, asked: Asked) -> None:
    m3p = replace(asked, scope=Scope("m3p_small", "scenes", "test", "en", 20))
    table = with_paper(languages_table(measures, m3p), NUMBERS)
    assert [column.label for column in table.columns] == ["English", "German", "French", "Czech"]
    assert cell(table, "joint_coop", "fr mR").paper == 75.9
    assert cell(table, "joint_coop", "fr mR").value < cell(table, "joint_coop", "en mR").value


def test_several_backbones_stand_below_each_other_and_the_paper_beside_the_first(
    measures: pd.DataFrame, asked: Asked, scope: Scope
) -> None:
    own = main_table(measures, replace(asked, systems=("be", "ce")))
    other = main_table(measures, replace(asked, scope=replace(scope, backbone="m3p_small"), systems=("be", "joint_be")))
    table = with_paper(stacked({"oscar_small": own, "m3p_small": other}), NUMBERS)
    groups = ["oscar_small, all captions"] * 2 + ["oscar_small, one caption an image"] * 2 + ["m3p_small"] * 2
    assert [row.group for row in table.rows] == groups
    values = [row.cells[0].value for row in table.rows if row.key == "be"]
    assert values == [79, 79 - 0.6, 75]
    assert [row.cells[0].paper for row in table.rows if row.key == "be"] == [52.2, None, None]


def test_transfer_and_enlarged_stand_beside_the_plain_test_set(measures: pd.DataFrame, asked: Asked) -> None:
    four = replace(asked, systems=("be", "sep_coop", "joint_be", "joint_coop"))
    unseen = replace(four, test_sets=(("test", ""), ("unseen", "")))
    transfer = transfer_table(measures, unseen)
    assert [found.value for found in transfer.rows[0].cells][::3] == [79, 65]
    assert transfer.caption.count("n = 1,500 captions") == 1
    fewer = measures["test_set"].eq("unseen") & measures["direction"].eq("text-to-image")
    fewer_asked = measures.assign(queries=measures["queries"].where(~fewer, 500))
    caption = transfer_table(fewer_asked, unseen).caption
    assert "Seen: n = 1,500 captions" in caption
    assert "Unseen: n = 500 captions" in caption
    enlarged = enlarged_table(measures, replace(four, test_sets=(("test", ""), ("enlarged", ""))))
    assert [found.value for found in enlarged.rows[0].cells][::3] == [79, 73]
    assert notes(with_paper(enlarged, NUMBERS)) == ["The paper's values of this table are not known to this project."]


def test_ablations_have_a_row_or_column_for_each_setting(measures: pd.DataFrame, asked: Asked) -> None:
    fractions = {"scenes": 1.0, "scenes_tenth": 0.1, "scenes_quarter": 0.25, "scenes_half": 0.5}
    sample = sample_efficiency_table(measures, replace(asked, systems=("be",), training_sets=fractions))
    assert [column.label for column in sample.columns] == ["10 %", "25 %", "50 %", "100 %"]
    assert [found.value is None for found in sample.rows[0].cells] == [False, False, True, False]
    both = replace(asked, systems=("sep_coop", "joint_coop"))
    depth = with_paper(depth_table(measures, both), NUMBERS)
    assert [row.label for row in depth.rows[4:]] == [f"Joint+Coop, k = {k}" for k in (5, 10, 20, 50)]
    assert cell(depth, "joint_coop k=50", "text-to-image R@1").paper == 54.6
    fusion = with_paper(fusion_table(measures, both), NUMBERS)
    assert cell(fusion, "joint_coop weighted_probability 0.9", "text-to-image R@1").paper == 74.6
    assert cell(fusion, "joint_coop none", "text-to-image R@1").value == 85
    assert cell(fusion, "sep_coop none", "text-to-image R@1", "Sep+Coop").value == 87
    assert cell(fusion, "sep_coop none", "text-to-image R@1").paper is None  # the paper's is the joint model
    hard = hard_negatives_table(measures, replace(asked, systems=("joint_coop", "joint_hard_coop")))
    assert cell(hard, "joint_hard_coop", "text-to-image R@1").value == 86


def test_twins_are_reported_in_both_directions(twins: pd.DataFrame, asked: Asked) -> None:
    scope = Scope("oscar_small", "scenes", "twins", "en", 20)
    asked = replace(asked, scope=scope, systems=("be", "ce", "joint_be", "joint_ce"))
    table = twins_table(twins, asked)
    assert [found.value for found in table.rows[1].cells] == [52, 52, 52]
    assert table.rows[2].cells[0].missing
    assert "1 seed; 95 % intervals by bootstrap over pairs of twins" in table.caption
    several = twins_table(twins.assign(seeds=3, sd=0.7), asked)
    assert "3 seeds; ± the standard deviation over seeds" in several.caption
    assert "bootstrap" not in several.caption


def test_quantiles_are_of_the_repeats(latency: pd.DataFrame) -> None:
    point = latency.query("system == 'be' and gallery_size == 300 and stage == 'total'")["time_ms"]
    row = quantiles(latency).query("system == 'be' and gallery_size == 300 and stage == 'total'").iloc[0]
    expected = [np.quantile(point, q) for q in (0.05, 0.5, 0.95)]
    assert row[["low", "value", "high"]].tolist() == pytest.approx(expected)
    assert row["repeats"] == 20


def test_latency_marks_what_was_extrapolated_and_keeps_the_papers_gallery(latency: pd.DataFrame) -> None:
    table = with_paper(latency_table(latency, Asked()), NUMBERS)
    assert cell(table, "ce k=0", "latency_ms at 1000000 images").extrapolated
    assert not cell(table, "ce k=0", "latency_ms at 1000 images").extrapolated
    assert cell(table, "sep_coop k=20", "latency_ms at 50000 images").paper == 74
    assert cell(table, "sep_coop k=10", "latency_ms at 50000 images").paper is None
    assert "* extrapolated, not run." in markdown(table)
    assert "1,000 images are filled with distractor vectors" in table.caption


def test_cost_tables(evaluation_times: pd.DataFrame, costs: pd.DataFrame, indexes: pd.DataFrame) -> None:
    time = with_paper(evaluation_time_table(evaluation_times, Asked()), NUMBERS)
    assert wide(time)[3] == ["Sep+Coop (paper)", "", "", "", "25 min"]
    assert wide(time)[4][-1] == "10.7 min*"
    assert wide(cost_table(costs, Asked()))[1] == ["Sep+Coop", "2", "2,469,134", "9.88 MB"]
    assert wide(index_table(indexes, Asked()))[1] == ["HNSW32", "99.1", "0.0600 ms", "2.30 s", "784 B"]


def test_claims_have_the_papers_difference_and_an_honest_verdict(comparisons: pd.DataFrame) -> None:
    table = claims_table(comparisons, Asked(dataset="scenes"))
    first = table.rows[0]
    assert first.group == "Re-ranking beats the bi-encoder"
    assert (first.cells[0].value, first.cells[0].paper) == (8.0, 0.6)
    assert wide(table)[1][1:] == ["+8.0 [+6.5, +9.5]", "< 0.001", "< 0.001"]
    assert "adjusted for all 9 of them" in table.caption
    elsewhere = comparisons.assign(test_set=comparisons["test_set"].where(comparisons["system_b"] != "ce", "few"))
    words = {"test": "", "few": "one caption an image"}
    labels = [row.label for row in claims_table(elsewhere, Asked(words=words)).rows]
    assert labels[::3][:2] == ["Sep+Coop − BE, IR R@1", "Sep+Coop − CE, IR R@1, one caption an image"]
    fused = claims_table(comparisons.assign(fusion="calibrated"), Asked()).rows[0]
    assert (fused.label, fused.cells[0].paper) == ("Sep+Coop − BE, IR R@1, calibrated on dev", None)
    seeds = comparisons.assign(seeds=3, seeds_of_sign=2)
    assert wide(claims_table(seeds, Asked()))[1][-1] == "2 of 3"
    assert "other images and other seeds" in claims_table(seeds, Asked()).caption


def test_a_claim_has_the_papers_difference_on_its_own_dataset(comparisons: pd.DataFrame) -> None:
    flickr = comparisons[comparisons["claim"] == "Joint training keeps up with separate"].assign(test_set="flickr")
    both = pd.concat([comparisons, flickr])
    asked = Asked(dataset="MSCOCO 5k", test_sets=(("test", "MSCOCO 5k"), ("flickr", "Flickr30k 1k (Entities)")))
    table = claims_table(both, asked)
    papers = {row.label: row.cells[0].paper for row in table.rows}
    assert papers["Joint+Coop − Sep+Coop, IR R@1, test"] == 1.9
    assert papers["Joint+Coop − Sep+Coop, IR R@1, flickr"] is None  # that of MSCOCO 5k is another one
    assert notes(table) == ["Paper: MSCOCO 5k. Its cells with – are not known to this project."]
    known = pd.concat([comparisons, flickr.assign(system_b="joint_be")])
    assert notes(claims_table(known, asked)) == [
        "Paper: MSCOCO 5k and Flickr30k 1k (Entities). Its cells with – are not known to this project."
    ]


def test_deviation_is_not_run_on_another_dataset_and_judged_on_the_same(main: Table) -> None:
    elsewhere = deviations([main], NUMBERS)
    published = NUMBERS[~NUMBERS["table"].str.startswith("field")]
    assert len(elsewhere) == len(published)
    assert elsewhere["status"].value_counts().to_dict() == {"not run": 51, "unknown": len(published) - 51}
    assert (elsewhere["reason"] != "").all()
    same = deviations([replace(main, dataset="MSCOCO 5k")], NUMBERS).set_index(["row", "column", "dataset"])
    judged = same.loc[("be", "text-to-image R@1", "MSCOCO 5k")]
    assert (judged["status"], judged["difference"]) == ("outside", pytest.approx(79 - 52.2))
    assert same.loc[("ce", "mR", "MSCOCO 5k"), "status"] == "not run"
    shown = deviations_table(elsewhere)
    assert "0 within, 0 outside, 51 not run" in shown.caption
    assert len(shown.rows) == 51
    assert "\\begin{tabular}{lllll}" in latex(shown)  # words, which numbers alone would align


@pytest.mark.parametrize(("ours", "status"), [(53.1, "within"), (51.3, "within"), (53.3, "outside")])
def test_deviation_within_a_point_is_within(ours: float, status: str) -> None:
    row = Row("be", "BE", (Cell(value=ours),), paper_key="be")
    columns = (Column("text-to-image R@1", "IR R@1"),)
    table = Table("t", "T", "", "system", columns, (row,), "MSCOCO 5k", "table1", "MSCOCO 5k")
    found = deviations([table], NUMBERS).query("dataset == 'MSCOCO 5k' and table == 'table1'")
    found = found.query("row == 'be' and column == 'text-to-image R@1'")
    assert found["status"].tolist() == [status]


def test_each_dataset_s_cells_are_judged_by_the_table_of_that_dataset() -> None:
    columns = (Column("text-to-image R@1", "IR R@1"),)
    tables = [
        Table(
            name,
            "T",
            "",
            "system",
            columns,
            (Row("joint_coop", "", (Cell(value=value, low=value - 1, high=value + 1),), paper_key="joint_coop"),),
            dataset,
            "table1",
            dataset,
        )
        for name, value, dataset in (("a", 54.0, "MSCOCO 5k"), ("b", 70.0, "Flickr30k 1k (Entities)"))
    ]
    for order in (tables, tables[::-1]):
        found = deviations(order, NUMBERS).query(
            "table == 'table1' and row == 'joint_coop' and column == 'text-to-image R@1'"
        )
        judged = found.set_index("dataset")["status"]
        assert judged["MSCOCO 5k"] == "within"
        assert judged["Flickr30k 1k (Entities)"] == "outside"
        assert found.set_index("dataset").loc["MSCOCO 5k", ["low", "high"]].tolist() == [53.0, 55.0]


def test_a_cell_whose_published_value_is_not_known_says_so() -> None:
    columns = (Column("mR", "mR"),)
    row = Row("joint_ce", "", (Cell(value=80.0),), paper_key="joint_ce")
    table = Table("t", "T", "", "system", columns, (row,), "MSCOCO 5k", "table1", "MSCOCO 5k")
    found = deviations([table], NUMBERS).query("row == 'joint_ce' and column == 'mR' and dataset == 'MSCOCO 5k'")
    assert (found["status"].item(), found["ours"].item()) == ("unknown", 80.0)
    assert "not known" in found["reason"].item()


def test_files_of_a_table_agree_and_read_back_whole(main: Table, tmp_path: Path) -> None:
    write_table(main, tmp_path)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".csv", ".json", ".md", ".tex", ".tex"]
    assert read_written_table(tmp_path / "made_up.json") == main
    with (tmp_path / "made_up.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(main.rows) * len(main.columns)
    joint = next(line for line in lines if line["row"] == "joint_coop" and line["column"] == "rsum")
    assert float(joint["paper"]) == 481.9


def test_latex_has_no_sign_that_plain_latex_lacks(main: Table, comparisons: pd.DataFrame) -> None:
    for table in (main, claims_table(comparisons, Asked())):
        text = latex(table)
        assert text.isascii()
        body, caption = text.split("\\caption{")
        assert body.count("\\\\") >= len(table.rows)
        assert "95 \\% intervals" in caption or "95 \\% interval" in caption


def test_an_interval_without_width_is_no_certainty() -> None:
    columns = (Column("R@10", "R@10"),)
    sure, unsure = (Row("a", "a", (Cell(value=100.0, low=low, high=100.0),)) for low in (100.0, 98.4))
    assert not notes(Table("t", "T", "", "system", columns, (unsure,)))
    (said,) = notes(Table("t", "T", "", "system", columns, (sure,)))
    assert said.endswith("(of twins: pairs) agree: up to 369 / n % of others may not (exact, 95 %).")
    assert beta.ppf(0.025, 320, 1) == pytest.approx(1 - 3.69 / 320, abs=1e-4)  # Clopper and Pearson's, of 320 in 320


def test_latex_enters_mathematics_once_for_each_sign() -> None:
    columns = (Column("p_value", "p < 0.05_x", unit="p"),)
    table = Table("t", "T", "k < n, ~50 % of {all}", "row", columns, (Row("a", "a − b", (Cell(value=0.0001),)),))
    text = latex(table)
    assert "\\ensuremath{<} 0.001" in text
    assert "k \\ensuremath{<} n, \\textasciitilde{}50 \\% of \\{all\\}" in text
    assert "a $-$ b" in text
    assert "\\ensuremath{$" not in text  # a second $ would end the mathematics that it should be in


def test_a_cell_without_value_must_say_why() -> None:
    with pytest.raises(ValueError, match="says why"):
        Cell()


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (87.04, "percent", "87.0"),
        (-1.26, "points", "−1.3"),
        (0.0004, "p", "< 0.001"),
        (16, "ms", "16 ms"),
        (1234, "ms", "1.23 s"),
        (120_000, "ms", "2 min"),
        (1500, "seconds", "25 min"),
        (180_000, "seconds", "50 h"),
        (4_938_268, "bytes", "4.94 MB"),
        (1_234_567, "count", "1,234,567"),
        (float("inf"), "rank", "∞"),
    ],
)
def test_numbers_are_written_in_the_unit_that_reads_best(value: float, unit: str, text: str) -> None:
    assert number(value, unit) == text


def test_a_measured_time_keeps_its_three_digits_and_a_published_one_what_was_published() -> None:
    assert number(7.0, "ms", measured=True) == "7.00 ms"
    assert number(13_020, "ms", measured=True) == "13.0 s"
    assert number(512.0, "bytes", measured=True) == "512 B"
    columns = (Column("seconds", "time", unit="seconds"),)
    table = Table("t", "T", "", "system", columns, (Row("ce", "CE", (Cell(value=30.0, paper=30.0),)),))
    assert [line[1] for line in wide(table)] == ["30.0 s", "30 s"]


def test_an_interval_uses_the_unit_of_its_value() -> None:
    assert span(900, 1100, around=1000, unit="ms") == "[0.900, 1.10]"
    assert span(85.5, 88.5, around=87, unit="percent") == "[85.5, 88.5]"


def test_summary_is_short_plain_text_and_facts_name_other_queries(main: Table, asked: Asked) -> None:
    text = summary_text(main, ["Coop wins."], where="See the page.")
    assert len(text.splitlines()) < 25
    assert max(map(len, text.splitlines())) <= 80
    assert "Sep+Coop               87.0 [85.5, 88.5]" in text
    assert text.endswith("Coop wins.\nSee the page.\n")
    found = facts(main, asked.roles)
    assert [fact.label for fact in found] == ["BE", "Sep+Coop", "Joint+Coop", "CE (one caption an image)"]
    assert found[1].value == "87.0"
    assert facts(main, {}) == []


def test_a_headline_is_the_best_system_or_what_the_first_rows_have(main: Table, costs: pd.DataFrame) -> None:
    assert headline(main).endswith("re-ranking: all captions, Sep+Coop, IR R@1: 87.0 [85.5, 88.5]")
    said = "separate against joint: disk: BE: 4.94 MB; Sep+Coop: 9.88 MB; Joint+Coop: 4.94 MB"
    assert headline(cost_table(costs, Asked())).endswith(said)
    assert headline(replace(main, rows=main.rows[:1])).endswith(": nothing was measured")


def test_the_best_of_each_group_is_bold_in_every_form(main: Table) -> None:
    lines = markdown(main).splitlines()
    assert "| **87.0** [85.5, 88.5]" in next(line for line in lines if line.startswith("| Sep+Coop "))
    assert "**" not in next(line for line in lines if line.startswith("| BE "))
    assert "\\textbf{87.0} [85.5, 88.5]" in latex(main)
    assert "\\textbf{88.0}" in compact_latex(main)  # CE, on other queries


def test_a_label_breaks_no_table(measures: pd.DataFrame, asked: Asked) -> None:
    odd = replace(asked, labels={"be": "a|b\nc & d"}, systems=("be", "ce"))
    table = main_table(measures, odd)
    assert "| a\\|b c & d " in markdown(table)
    assert (
        len({line.replace("\\|", "").count("|") for line in markdown(table).splitlines() if line.startswith("|")}) == 1
    )
    assert "a|b c \\& d & " in latex(table)


def test_compact_latex_has_values_alone_and_is_no_wider_than_a_column(main: Table) -> None:
    text = compact_latex(main)
    assert "\\resizebox" in text
    assert "\\label{tab:made_up}" in text
    assert "\\caption{Retrieval with and without re-ranking.}" in text  # LaTeX counts tables itself
    assert "\\multicolumn{9}{l}{\\emph{one caption an image}} \\\\" in text
    assert "[" not in text.split("\\midrule")[1].split("\\bottomrule")[0]
    assert "(paper)" in latex(main)
    assert "(paper)" not in text


def test_the_conclusion_joins_claims_of_one_kind(comparisons: pd.DataFrame, asked: Asked) -> None:
    tests = comparisons[comparisons["system_b"] != "ce"]
    joint = tests[tests["system_b"] == "be"].assign(system_a="joint_coop", system_b="joint_be", difference=4.0)
    said = conclusion(pd.concat([tests, joint]), roles=asked.roles)
    assert said[0] == "Re-ranking gains 4.0 to 8.0 points text-to-image and gains 4.0 to 6.4 points image-to-text."
    assert said[1] == (
        "Re-ranking beats the bi-encoder? Sep+Coop against BE: text-to-image higher, +8.0 (p < 0.001); image-to-text "
        "higher, +6.4 (p < 0.001)."
    )
    seeds = conclusion(tests.assign(seeds=3, seeds_of_sign=2), roles=asked.roles, words={"test": "my test"})
    assert seeds[-1].endswith(
        "Joint+Coop against Sep+Coop (my test): text-to-image lower by this test alone, −2.0 [−3.5, −0.5] (p = 0.093, this "
        "sign in 2 of 3 seeds); image-to-text lower by this test alone, −1.6 [−3.1, −0.1] (p = 0.093, this sign in 2 of 3 "
        "seeds)."
    )
    alike = conclusion(comparisons[comparisons["system_b"] == "ce"], roles=asked.roles)[-1]
    assert "text-to-image no difference shown, −1.0 [−2.5, +0.5] (p = 0.630)" in alike
