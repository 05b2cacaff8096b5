"""Each cell of a model that was tested on images of its training is marked, wherever the table goes."""

from pathlib import Path

import pandas as pd
import pytest

from reranksmart.files.storage import write_json
from reranksmart.report.asked import Asked
from reranksmart.report.deviations import deviations
from reranksmart.report.latex import latex
from reranksmart.report.leaks import with_leaks
from reranksmart.report.page import render_page
from reranksmart.report.paper import paper_numbers
from reranksmart.report.rendering import markdown, notes, read_written_table
from reranksmart.report.summary import summary_text
from reranksmart.report.table import Table
from reranksmart.report.tables.audit import audit_table
from reranksmart.report.tables.claims import claims_table
from reranksmart.report.tables.main import main_table
from reranksmart.report.writing import write_table

NOTE = (
    "† tested on images that the model was trained or selected on, which the configuration allows (allowed_leaks): "
    "25 of 300 images of the gallery."
)


def audited(folder: Path, shared: dict[str, int]) -> Path:
    """The audit of the training set ``scenes``: of each test set, how many images train and dev share with it."""
    rows = [
        {"trained": f"scenes ({role})", "trained_images": 900, "tested": name, "tested_images": 300, "shared": part}
        for name, count in shared.items()
        for role, part in (("train", count - count // 5), ("dev", count // 5))
    ]
    write_json(folder / "scenes.json", rows)
    return folder / "scenes.json"


@pytest.fixture
def marked(measures: pd.DataFrame, asked: Asked, tmp_path: Path) -> Table:
    """Table 1, whose second group was tested on 20 images of train and 5 of dev."""
    audits = [audited(tmp_path, {"test": 0, "test_first_caption": 25})]
    return main_table(with_leaks(measures, audits), asked)


def test_the_cells_of_the_leaked_test_set_alone_are_marked(marked: Table) -> None:
    for row in marked.rows:
        counts = {(cell.leaked_images, cell.gallery_images) for cell in row.cells if cell.value is not None}
        assert counts <= {(25, 300) if row.group == "one caption an image" else (0, 0)}
    assert notes(marked).count(NOTE) == 1


def test_pictures_that_look_alike_have_a_column_where_there_are_any(asked: Asked) -> None:
    row = {"trained": "a (train)", "tested": "b", "trained_images": 9, "tested_images": 3, "shared": 0}
    for alike, shown in ((0, False), (2, True)):
        assert ("look alike" in markdown(audit_table([{**row, "alike": alike}], asked))) == shown


def test_the_mark_and_its_note_stand_in_every_form_of_the_table(marked: Table, tmp_path: Path) -> None:
    assert "| **87.0** [85.5, 88.5]" in markdown(marked)
    assert "| 86.4† [84.9, 87.9]" in markdown(marked)
    assert NOTE in markdown(marked)
    assert "86.4$\\dagger$ [84.9, 87.9]" in latex(marked)
    assert "$\\dagger$ tested on images" in latex(marked)
    write_table(marked, tmp_path)
    cells = pd.read_csv(tmp_path / "made_up.csv").dropna(subset="value")
    counts = cells.groupby("group")[["leaked_images", "gallery_images"]].agg(["min", "max"]).T
    assert counts["one caption an image"].tolist() == [25, 25, 300, 300]
    assert counts["all captions"].tolist() == [0, 0, 0, 0]
    assert read_written_table(tmp_path / "made_up.json") == marked
    page = render_page(title="A run", tables=[marked])
    assert "86.4†" in page
    assert NOTE in page
    assert NOTE in summary_text(marked)


def test_without_a_leak_nothing_is_marked(measures: pd.DataFrame, asked: Asked, tmp_path: Path) -> None:
    plain = main_table(measures, asked)
    audits = [audited(tmp_path, {"test": 0, "test_first_caption": 0})]
    assert main_table(with_leaks(measures, audits), asked) == plain
    assert "†" not in markdown(plain)


def test_a_paired_test_on_known_images_is_marked(comparisons: pd.DataFrame, tmp_path: Path) -> None:
    found = claims_table(with_leaks(comparisons, [audited(tmp_path, {"test": 25})]), Asked())
    assert "+8.0† [" in markdown(found)
    assert NOTE in markdown(found)


def test_a_marked_cell_is_no_reproduction_of_the_paper_s(marked: Table) -> None:
    table = Table(**{**vars(marked), "dataset": "MSCOCO 5k", "rows": marked.rows[6:]})
    rows = tuple(type(row)(**{**vars(row), "paper_key": row.key}) for row in table.rows)
    found = deviations([Table(**{**vars(table), "rows": rows})], paper_numbers())
    line = found[(found["row"] == "be") & (found["column"] == "mR") & (found["dataset"] == "MSCOCO 5k")].iloc[0]
    assert line["status"] == "not run"
    assert line["reason"] == "ours was tested on 25 images of its training"
