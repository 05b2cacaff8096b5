"""What an artefact says of where it comes from, and that nothing is shown of what another recipe made."""

import json
from pathlib import Path

import pytest

from reranksmart.cli.reporting import plot_verb, report_verb, tabulate_verb
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


def test_what_another_recipe_made_is_shown_nowhere(tmp_path: Path) -> None:
    written(tmp_path, recipe="old")
    made, page = "results/measures/oscar/scenes/be/seed1/test", tmp_path / "report.html"
    asked = json.dumps({made: [str(tmp_path / "provenance.json"), "new", False]})
    refusal = f"{made} was made by recipe old, but the configuration asks for new.* Delete {made} and"
    for show in (tabulate_verb, plot_verb):
        with pytest.raises(ValueError, match=refusal):
            show([Path(made)], "{}", tmp_path, recipes=asked)
    with pytest.raises(ValueError, match=refusal):
        report_verb("{}", page, page, page, recipes=asked)
