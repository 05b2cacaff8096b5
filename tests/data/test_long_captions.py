"""DOCCI and Urban1k, generated small in the published layouts: one long description an image."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reranksmart.datasets.docci import Docci, read_docci
from reranksmart.datasets.urban1k import read_urban1k


def test_a_split_of_docci_is_read_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "docci_descriptions.jsonlines"
    rows = [
        {
            "example_id": f"{split}_{n:05}",
            "split": split,
            "image_file": f"{split}_{n:05}.jpg",
            "description": f"{n}. " * 90,
        }
        for n in range(12)
        for split in ("train", "test")
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    captions = read_docci(path, split="test")
    assert len(captions) == 12
    assert [captions.ids[row] for row in (0, 9, -1)] == [f"docci/test_{n:05}#0" for n in (0, 9, 11)]
    assert captions.texts[9] == ("9. " * 90).strip()
    assert captions.image_ids[-1] == "docci/test_00011"
    with pytest.raises(ValueError, match="holds no caption of this split"):
        read_docci(path, split="qual_dev")
    with pytest.raises(ValueError, match="split 'dev' is 'dev' of the publication"):
        Docci.model_validate({"kind": "docci", "annotations": str(path), "splits": {"dev": {}}})


def test_urban1k_is_read_by_number_and_of_each_text_the_first_line(tmp_path: Path) -> None:
    for number in range(1, 13):
        (tmp_path / f"{number}.txt").write_text(f"A street, number {number}.\nMore.\n")
    captions = read_urban1k(tmp_path)
    assert len(captions) == 12
    assert [captions.ids[row] for row in (0, 9, -1)] == ["urban1k/1#0", "urban1k/10#0", "urban1k/12#0"]
    assert captions.texts[9] == "A street, number 10."
    (tmp_path / "3.txt").write_text("")
    with pytest.raises(ValueError, match=r"3\.txt, line 1: the caption is empty"):
        read_urban1k(tmp_path)
    with pytest.raises(ValueError, match=r"holds no text called as 1\.txt"):
        read_urban1k(tmp_path / "image")
