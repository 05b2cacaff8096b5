"""Every command that README and the manual print works as printed: on small files, or as a dry run where it is long."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import own_pictures
import pytest
import typer
from library_checkpoints import write_library_folder
from printed_commands import PAGES, Plan, commands, overlays, plans
from running import ROOT, snakemake
from typer.testing import CliRunner

from reranksmart import cli
from reranksmart.cli.verb import app
from reranksmart.files.code.verbs import verbs

ELSEWHERE = {
    "snakemake --report report.zip": "needs a finished run: test_tiny_run packs one",
    "snakemake --rulegraph": "tests/docs/test_rule_graph draws it",
    "snakemake --unlock": "needs a locked folder: test_live_runs unlocks one",
    "reranksmart export mteb --measures results/measures/siglip2/coco/zero_shot_sep_coop/seed1/coco_5k --output coop": (
        "needs mteb, in an environment of its own: tests/library/test_mteb exports there"
    ),
    "reranksmart rerank mteb --predictions run/XM3600T2IRetrieval_predictions.json --reranker Qwen/Qwen3-VL-Reranker-2B "
    "--k 20 --output judged": "needs mteb and its copy of Crossmodal-3600: tests/library/test_mteb re-ranks a small task",
}
"""Commands of which only the options are checked here, and why."""
MODEL = "results/models/oscar/scenes/joint/seed1/model"


def test_what_is_run_elsewhere_is_printed() -> None:
    assert ELSEWHERE.keys() <= {command for page in PAGES for command in commands(page)}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, copy_workflow: Callable[[Path], Path]) -> Path:
    """The workflow, with the configurations that the manual gives by name beside it."""
    folder = copy_workflow(tmp_path_factory.mktemp("printed") / "reranksmart")
    for name, content in overlays().items():
        (folder / name).write_text(content)
    return folder


@pytest.mark.parametrize("plan", plans(set(ELSEWHERE)), ids=lambda plan: " ".join(plan.options))
def test_snakemake_plans_what_is_printed(plan: Plan, checkout: Path) -> None:
    done = snakemake(checkout, *plan.targets, *plan.options, "--dry-run")
    assert done.returncode == 0, done.stdout
    assert not (checkout / "results").exists()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout as its user has it after a run, as far as commands read it: small models, three pictures a folder."""
    folder = tmp_path_factory.mktemp("desk")
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "envs", folder / "envs")
    (folder / ".venv").symlink_to(sys.prefix)
    for name, colours in {"pictures": ("red", "green", "blue"), "photos": ("red", "gold"), "new": ("cyan",)}.items():
        for colour in colours:
            own_pictures.draw(folder / name / f"{colour}.jpg", colour, "ellipse")
    own_pictures.draw(folder / "query.jpg", "black", "rectangle")
    (folder / "captions.csv").write_text("image,text\nred.jpg,a red ellipse\ngreen.jpg,a green ellipse\n")
    own_pictures.save_untrained(folder / MODEL, seed=1)
    for kind, name in (("retriever", "Embedding"), ("reranker", "Reranker")):
        write_library_folder(kind, folder / f"Qwen/Qwen3-VL-{name}-2B")
    learned = {"slope": 1.0, "intercept": 0.0, "found": [0.0] * 99}
    absence = folder / "results/absence/oscar/scenes/joint_coop/seed1/test/absence.json"
    absence.parent.mkdir(parents=True)
    absence.write_text(json.dumps({"en": {"text-to-image": learned, "image-to-text": learned}}))
    (folder / "results/plan.json").write_text("[]")
    return folder


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.stem)
def test_a_page_s_other_commands_work_in_their_order(page: Path, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    shutil.rmtree("mine.index", ignore_errors=True)  # of the page before
    for command in commands(page):
        program, *words = shlex.split(command)
        if program == "reranksmart":
            run_verb(command, words)
        elif program != "snakemake":
            said = f"{command} --dry-run" if program == "make" else command
            done = subprocess.run(["bash", "-c", said], text=True, capture_output=True)
            assert done.returncode == 0, f"{said}\n{done.stderr}"


def run_verb(command: str, words: list[str]) -> None:
    """Runs a verb in this process; of one that is run elsewhere it reads the options."""
    assert words[0] in verbs(), command
    cli.load(words[0])
    words = [found for word in words for found in (sorted(glob.glob(word)) if "*" in word else [word])]
    if command in ELSEWHERE:
        typer.main.get_command(app).make_context("reranksmart", words)
        return
    with asked_once() if words[0] == "serve" else contextlib.nullcontext(()) as port:
        done = CliRunner().invoke(app, [*words, *port])
    assert done.exit_code == 0, f"{command}\n{done.output}{done.exception or ''}"


@contextlib.contextmanager
def asked_once() -> Iterator[tuple[str, str]]:
    """A free port, at which a page is asked for; then the server is ended as by Ctrl+C."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ended, answers = threading.Event(), list[int]()

    def ask() -> None:
        while not answers and not ended.wait(0.1):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:
                answers.append(page.status)
        if not ended.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    client = threading.Thread(target=ask)
    client.start()
    try:
        yield "--port", str(port)
    finally:
        ended.set()
        client.join()
    assert answers == [200]
