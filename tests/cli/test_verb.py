"""What a decorated function gets: options, threads, a folder that is made whole or not at all, and its provenance."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from reranksmart.cli import verb as module
from reranksmart.cli.verb import NewFolder, app, new_folder, verb


@pytest.fixture(autouse=True)
def _own_verbs_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "registered_commands", [])
    monkeypatch.setattr(module, "code_digest", lambda name, *kinds: f"digest of {name}")


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def counted(folder: Path) -> dict[str, Any]:
    """What a verb with every kind of argument leaves behind."""

    @verb(computes=True)
    def count_words_verb(
        texts: Annotated[list[Path], typer.Option(help="text files")],
        output: NewFolder,
        least: int = 1,
        of: str | None = None,
        seed: int = 3,
    ) -> None:
        """Counts words."""
        (output / "count").write_text(str(len(texts) * least))

    done = run(
        *("count-words", "--texts", "a", "--texts", "b", "--least", 2, "--output", folder / "made"),
        *("--recipe", "abc", "--threads", 2),
    )
    assert done.exit_code == 0, done.output
    return json.loads((folder / "made" / "provenance.json").read_text())


def test_a_function_s_parameters_are_its_options(tmp_path: Path) -> None:
    counted(tmp_path)
    assert (tmp_path / "made" / "count").read_text() == "4"


def test_provenance_holds_the_bound_arguments_defaults_included(tmp_path: Path) -> None:
    found = counted(tmp_path)
    assert found["verb"] == "count-words"
    assert found["arguments"] == {"texts": ["a", "b"], "least": 2}
    assert (found["seed"], found["threads"], found["recipe"]) == (3, 2, "abc")
    assert found["code"] == "digest of count-words"


def test_threads_are_set_in_the_libraries_that_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    for name, setter in (("torch", "set_num_threads"), ("faiss", "omp_set_num_threads"), ("cv2", "setNumThreads")):
        library = type(sys)(name)
        setattr(library, setter, seen.append)
        monkeypatch.setitem(sys.modules, name, library)
    sys.modules["torch"].cuda = type("Unused", (), {"is_initialized": staticmethod(lambda: False)})  # type: ignore
    counted(tmp_path)
    assert seen == [2, 2, 2]


@pytest.mark.parametrize(("used", "named"), [(True, "NVIDIA H100"), (False, None)])
def test_provenance_names_the_gpu_that_was_used(
    used: bool, named: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: used)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA H100")
    found = counted(tmp_path)
    assert (found["device"] == named) is used
    assert found["repeatable"].startswith("not bit for bit") is used


def test_a_verb_that_fails_leaves_the_folder_of_before(tmp_path: Path) -> None:
    @verb()
    def fail_verb(output: NewFolder) -> None:
        (output / "half").touch()
        raise ValueError("no")

    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "before").touch()
    assert isinstance(run("fail", "--output", tmp_path / "made").exception, ValueError)
    assert [path.name for path in tmp_path.rglob("*")] == ["made", "before"]


def test_a_verb_that_is_killed_leaves_no_record_of_a_file_that_another_recipe_made(tmp_path: Path) -> None:
    ends = [False, True]

    @verb()
    def judge_verb(output: Annotated[Path, typer.Option()]) -> None:
        output.write_text("new")
        if ends.pop():
            raise KeyboardInterrupt

    asked = ("judge", "--output", tmp_path / "made", "--record", tmp_path / "made.provenance.json", "--recipe")
    (tmp_path / "made.provenance.json").write_text('{"recipe": "old"}')
    assert run(*asked, "new").exit_code
    assert not (tmp_path / "made.provenance.json").exists()
    assert run(*asked, "new").exit_code == 0
    assert json.loads((tmp_path / "made.provenance.json").read_text())["recipe"] == "new"


def test_a_verb_may_decide_late_whether_it_makes_its_folder(tmp_path: Path) -> None:
    @verb()
    def decide_verb(output: Annotated[Path, typer.Option()], make: bool = False) -> None:
        if make:
            with new_folder(output):
                pass

    assert run("decide", "--output", tmp_path / "made").exit_code == 0
    assert not (tmp_path / "made").exists()
    done = run("decide", "--output", tmp_path / "made", "--make")
    assert done.exit_code == 0, (done.output, done.exception)
    assert json.loads((tmp_path / "made" / "provenance.json").read_text())["arguments"] == {"make": True}
