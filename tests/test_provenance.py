"""What an artefact says of the device it was made on."""

import json
from pathlib import Path

from reranksmart.files.provenance import processor, write_provenance


def written(folder: Path, **more: str) -> dict[str, str]:
    write_provenance(folder / "provenance.json", verb="train", code="c", arguments={"settings": "{}"}, **more)
    return json.loads((folder / "provenance.json").read_text())


def test_made_on_a_cpu_it_promises_the_same_bytes_on_that_kind_of_processor(tmp_path: Path) -> None:
    found = written(tmp_path)
    assert found["repeatable"].startswith("bit for bit")
    assert found["processor"] == processor() != ""


def test_made_on_a_gpu_it_says_that_the_same_bytes_are_not_promised(tmp_path: Path) -> None:
    found = written(tmp_path, accelerator="NVIDIA H100")
    assert found["device"] == "NVIDIA H100"
    assert found["repeatable"].startswith("not bit for bit")


def test_it_holds_nothing_that_differs_from_one_run_to_the_next(tmp_path: Path) -> None:
    (tmp_path / "another").mkdir()
    assert written(tmp_path / "another") == written(tmp_path)
