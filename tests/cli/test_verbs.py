"""The commands as a user meets them: a bad input ends in one message, exit status 1, and nothing half written."""

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from running import reranksmart
from typer.testing import CliRunner

from reranksmart.cli import load, main
from reranksmart.cli.verb import app
from reranksmart.files.code.verbs import verbs

COMMAND = str(Path(sys.executable).parent / "reranksmart")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *map(str, arguments)], text=True, capture_output=True)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (64, 48), "red").save(tmp_path / "pictures" / "red.png")
    return tmp_path


def prepare(mine: Path, **caption: str) -> subprocess.CompletedProcess[str]:
    line = {"id": "0", "text": "a red square", "image": "red.png", **caption}
    (mine / "captions.jsonl").write_text(json.dumps(line) + "\n")
    split = {"captions": str(mine / "captions.jsonl"), "images": str(mine / "pictures")}
    settings = json.dumps({"kind": "files", "splits": {"train": split}})
    return reranksmart(
        "prepare-split", "--split", "train", "--settings", settings, "--output", mine / "data" / "mine" / "train"
    )


def test_your_own_pictures_get_regions(mine: Path) -> None:
    assert prepare(mine).returncode == 0
    data, store = mine / "data" / "mine" / "train", mine / "regions"
    shard = reranksmart(
        "extract-regions", "--data", data, "--shard", 0, "--settings", '{"shards": 1}', "--output", mine / "0"
    )
    assert shard.returncode == 0, shard.stderr
    assert reranksmart("merge-regions", "--data", data, "--output", store, mine / "0").returncode == 0
    assert json.loads((store / "index.json").read_text())["image_ids"] == ["mine/red.png"]


@pytest.mark.parametrize(
    ("caption", "said"),
    [
        ({"text": " "}, "is empty"),
        ({"image": "gone.png"}, "Give the names as paths below the folder of pictures"),
        ({"image": "notes.txt"}, "is not a whole picture"),
    ],
    ids=["empty caption", "missing picture", "no picture"],
)
def test_a_bad_split_is_one_message_and_no_folder(mine: Path, caption: dict[str, str], said: str) -> None:
    (mine / "pictures" / "notes.txt").write_text("no picture")
    done = prepare(mine, **caption)
    assert done.returncode == 1
    assert done.stderr.startswith("reranksmart prepare-split: ")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (mine / "data" / "mine" / "train").exists()


def test_two_captions_with_one_id_are_named(mine: Path) -> None:
    line = json.dumps({"id": "7", "text": "a red square", "image": "red.png"}) + "\n"
    split = {"captions": str(mine / "twice.jsonl"), "images": str(mine / "pictures")}
    (mine / "twice.jsonl").write_text(line * 2)
    settings = json.dumps({"kind": "files", "splits": {"train": split}})
    done = reranksmart("prepare-split", "--split", "train", "--settings", settings, "--output", mine / "train")
    assert done.returncode == 1
    assert "occurs 2 times" in done.stderr


def test_an_unknown_verb_lists_the_known_ones() -> None:
    done = run("retrain")
    assert done.returncode == 2
    assert done.stderr.startswith("reranksmart: there is no verb 'retrain'. Did you mean 'pretrain'?")
    assert "prepare-split" in done.stderr


def test_the_version_is_the_package_s() -> None:
    assert run("--version").stdout == f"reranksmart {version('reranksmart')}\n"


def test_help_names_every_verb() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert set(verbs()) <= set(re.findall(r"[a-z-]+", done.stdout))


def test_help_names_the_verbs_of_people_before_those_of_rules() -> None:
    text = run("--help").stdout
    by_hand, by_rules = text.split("What the workflow's rules call:")
    assert re.findall(r"^  ([a-z-]+)  ", by_hand, re.MULTILINE) == [
        "export",
        "gallery",
        "rerank",
        "search",
        "serve",
        "status",
    ]
    assert "train" in by_rules


def test_help_loads_neither_torch_nor_the_command_line_s_library() -> None:
    """Whoever looks for a verb, or mistypes one, waits for nothing that computes."""
    program = (
        "import sys; from reranksmart.cli import main; main(); print(sorted({'torch', 'typer'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_path_that_cannot_be_used_is_named_with_what_to_do(mine: Path) -> None:
    split = {"images": str(mine / "pictures")}
    settings = json.dumps({"kind": "files", "splits": {"train": split}})
    picture = mine / "pictures" / "red.png"
    done = reranksmart("prepare-split", "--split", "train", "--settings", settings, "--output", picture / "train")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"{picture}: " in done.stderr
    assert "name another" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("prepare-split", "--split", "test", "--settings", '{"kind": "files", "splits": {}}'),
            "there is no 'test' in",
        ),
        (("compare", "--measures", ".", "--comparisons", "[", "--seeds", 1, "--depth", 1), "'[' is no JSON"),
    ],
    ids=["key", "JSON"],
)
def test_settings_that_cannot_be_read_are_named_with_what_to_do(tmp_path: Path, options: tuple, said: str) -> None:
    done = reranksmart(*options, "--output", tmp_path / "made")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"reranksmart {options[0]}: {said}")
    assert not (tmp_path / "made").exists()


def test_an_interrupt_while_a_verb_is_loaded_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("reranksmart.cli.importlib", SimpleNamespace(import_module=interrupted))
    monkeypatch.setattr("sys.argv", ["reranksmart", "status"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_every_verb_explains_itself(verb: str) -> None:
    load(verb)
    done = CliRunner().invoke(app, [verb, "--help"], prog_name="reranksmart")
    assert done.exit_code == 0, done.output
    assert f"reranksmart {verb}" in done.output
    threads = re.search(r"--threads.*", done.output)
    assert threads is None or "x>=1" in threads[0]
