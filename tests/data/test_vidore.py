"""ViDoRe, generated small in the published layout: queries in two languages that several pages answer."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reranksmart.datasets.prepared.layout import picture_path, read_image_ids
from reranksmart.datasets.prepared.relevance import relevance_of
from reranksmart.datasets.vidore import ViDoRe
from reranksmart.files.photographs import read_photograph
from reranksmart.files.storage import read_captions
from reranksmart.values.records import Direction

QRELS = [(0, 3, 1), (0, 5, 2), (1, 5, 1), (2, 0, 1), (2, 3, 0), (3, 7, 1)]
LANGUAGES = ["english", "english", "french", "german"]


def page(number: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (30, 40), (number, 0, 0)).save(file, format="PNG")
    return file.getvalue()


def tables(hyphens: str) -> dict[str, list[dict[str, Any]]]:
    """As published: the third edition writes names of columns with underscores, the second with hyphens."""
    query, corpus = f"query{hyphens}id", f"corpus{hyphens}id"
    return {
        "corpus": [{corpus: number, "image": {"bytes": page(number), "path": None}} for number in range(12)],
        "queries": [
            {query: number, "query": f"What is {number}?", "language": LANGUAGES[number]} for number in range(4)
        ],
        "qrels": [{query: one, corpus: other, "score": score} for one, other, score in QRELS],
    }


def as_parquet(folder: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow comes with the extra [mteb] alone")
    from pyarrow.parquet import write_table

    for name, rows in tables("_").items():
        (folder / name).mkdir(parents=True)
        half = len(rows) // 2
        for number, part in enumerate((rows[:half], rows[half:])):
            write_table(pyarrow.Table.from_pylist(part), folder / name / f"test-{number:05}-of-00002.parquet")


def as_lines(folder: Path) -> None:
    written = tables("-")
    (folder / "pages").mkdir(parents=True)
    for row in written["corpus"]:
        row["image"] = f"pages/{row['corpus-id']}.png"
        (folder / row["image"]).write_bytes(page(row["corpus-id"]))
    for name, rows in written.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def dataset(folder: Path, *languages: str) -> ViDoRe:
    splits = {"test": {}, "others": {"pages": "others"}}
    settings = {"kind": "vidore", "annotations": str(folder), "splits": splits}
    return ViDoRe.model_validate(settings | {"languages": languages or ("en",)})


@pytest.mark.parametrize("write", [as_parquet, as_lines])
def test_pages_and_queries_become_a_split_and_its_distractors(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path / "published")
    own = dataset(tmp_path / "published", "en", "fr")
    found = {split: own.prepare(split, tmp_path / split, name="hr").images for split in own.splits}
    assert found == {"test": 3, "others": 9}
    captions = read_captions(tmp_path / "test/captions.jsonl")
    assert captions.texts == ("What is 0?", "What is 1?", "What is 2?")
    assert captions.languages == ("en", "en", "fr")
    assert captions.image_ids == ("hr/page-5", "hr/page-5", "hr/page-0")
    assert read_image_ids(tmp_path / "test") == ["hr/page-0", "hr/page-3", "hr/page-5"]
    assert read_image_ids(tmp_path / "others")[-1] == "hr/page-11"
    assert len(read_captions(tmp_path / "others/captions.jsonl")) == 0
    assert [own.has_captions(split) for split in own.splits] == [True, False]
    relevant = relevance_of([tmp_path / "test", tmp_path / "others"])
    assert relevant.items_by_query(Direction.TEXT_TO_IMAGE) == {
        "hr/0": {"hr/page-3", "hr/page-5"},
        "hr/1": {"hr/page-5"},
        "hr/2": {"hr/page-0"},
    }
    shown = read_photograph(picture_path(tmp_path / "others", "hr/page-11"))
    np.testing.assert_array_equal(shown[0, 0], [11, 0, 0])


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("qrels.jsonl", '"corpus-id": 0', '"corpus-id": 99', "qrels name page 'hr/page-99', which corpus lacks"),
        ("qrels.jsonl", '"query-id": 1', '"query-id": 9', r"1 of 3 queries have no page in qrels, as '1'"),
        ("queries.jsonl", "french", "en", r"no query is in \['fr'\]"),
        ("corpus.jsonl", "pages/5.png", "pages/50.png", "the picture .*50.png is missing"),
        ("corpus.jsonl", '"image"', '"page"', "a row has no image but"),
        ("qrels.jsonl", '{"query-id": 0, "corpus-id": 3, "score": 1}', "[]", "qrels has a row that is no object"),
    ],
)
def test_what_does_not_belong_together_is_named(tmp_path: Path, file: str, old: str, new: str, said: str) -> None:
    as_lines(tmp_path / "published")
    path = tmp_path / "published" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ValueError, match=said):
        dataset(tmp_path / "published", "en", "fr").prepare("test", tmp_path / "test", name="hr")
    assert not (tmp_path / "test").exists()
