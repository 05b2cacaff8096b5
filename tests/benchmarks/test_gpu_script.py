import json
import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.py"
PARTS = {"score pairs", "encode captions", "encode images", "train bi_encoder", "search", "one query"}
PARTS |= {"one query, CE", "train cross_encoder", "train bi_encoder and cross_encoder"}
PARTS |= {"whole evaluation, BE", "whole evaluation, Coop"}


def test_the_gpu_script_answers_every_question_at_small_size_without_a_gpu(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(SCRIPT.parent)
    monkeypatch.setattr("sys.argv", ["gpu.py", "--device", "cpu", "--tiny", "--output", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    said = capsys.readouterr().out
    assert ended.value.code == 0, said
    record = json.loads((tmp_path / "gpu.json").read_text())
    assert record["right"]["float32"]["within"]
    assert {row["what"] for row in record["rows"]} >= PARTS
    assert record["right"]["float32"]["overlap_at_20"] == 1
    assert record["failed"] == {}
    assert all(min(row["seconds"]) > 0 for row in record["rows"])
    assert all(0 < row["share_of_peak"] < 1 for row in record["rows"] if row["what"].startswith("train"))
    assert "whole evaluation, Coop" in said.splitlines()[-5]
