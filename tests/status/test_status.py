"""What `reranksmart status` says of a results folder, while and after a training runs in it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from running import ROOT
from typer.testing import CliRunner

from reranksmart.cli import load
from reranksmart.cli.verb import app
from reranksmart.run.findings import find
from reranksmart.run.jobs import note_plan
from reranksmart.run.observation import FILE_NAME, Observer

load("status")

MODEL = "results/models/oscar/scenes/joint/seed1/model"
INDEX = "results/indexes/oscar/scenes/joint/seed1/scenes.test"


def job(rule, *, inputs=(), outputs=(), temporary=(), is_local=True):
    return SimpleNamespace(
        is_local=is_local,
        rule=SimpleNamespace(name=rule),
        input=list(inputs),
        output=list(outputs),
        temp_output=set(temporary),
        log=[f"results/logs/{rule}/one.log"],
    )


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of a training and what needs it, in which the backbone and its regions are there, their shard is gone."""
    monkeypatch.chdir(tmp_path)
    shard = "results/regions/train.shards/0"
    note_plan(
        [
            job("extract_regions", outputs=[shard], temporary=[shard]),
            job("merge_regions", inputs=[shard], outputs=["results/regions/train"]),
            job("train", inputs=["results/regions/train"], outputs=[MODEL]),
            job("index", inputs=[MODEL], outputs=[INDEX]),
            job("tabulate", inputs=[INDEX], outputs=["results/tables/depth.csv"]),
        ]
    )
    (tmp_path / "results/regions/train").mkdir(parents=True)
    (tmp_path / "results/logs/train").mkdir(parents=True)
    return tmp_path / "results"


def observe(results: Path, *, step: int = 30) -> Path:
    """What a training shows after some steps."""
    path = results.parent / Path(MODEL).parent / "state" / FILE_NAME
    Observer(path, start=0, steps=40).saw(step, {"bi_encoder": [0.5, 0.7]}, [{"dev_mean_recall": 61.25}])
    return path


def found(results: Path):
    return {finding.job.rule: finding for finding in find(results)}


def test_a_run_not_begun_says_what_is_next_and_what_waits_for_it(run: Path) -> None:
    states = found(run)
    assert [states[rule].state for rule in ("extract_regions", "merge_regions", "train")] == ["there", "there", "ready"]
    assert states["index"].state == states["tabulate"].state == "waiting"
    assert states["tabulate"].why == "needs train one, which is next"


def test_a_running_training_shows_step_loss_recall_and_time_left(run: Path) -> None:
    observe(run)
    said = CliRunner().invoke(app, ["status", "--results", str(run)]).stdout
    line = next(line for line in said.splitlines() if "train one" in line)
    assert "running, step 30 of 40, loss bi_encoder 0.600, dev recall 61.2" in line
    assert line.endswith("left")
    assert "depth" not in line
    assert "0 of 1 models" in said
    assert found(run)["index"].why == "needs train one, which is running"


def test_a_killed_training_is_stopped_and_what_needs_it_says_so(run: Path) -> None:
    path = observe(run)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    path.write_text(json.dumps({**json.loads(path.read_text()), "pid": ended.pid}))
    states = found(run)
    assert states["train"].state == "stopped"
    assert states["train"].training.step == 30
    assert states["tabulate"].why == "train one stopped"


def test_a_killed_training_whose_number_another_process_has_by_now_is_stopped(run: Path) -> None:
    path = observe(run)
    with subprocess.Popen(["sleep", "60"]) as another:
        seen = {**json.loads(path.read_text()), "pid": another.pid}
        path.write_text(json.dumps({**seen, "updated": seen["updated"] - 3600}))
        assert found(run)["train"].state == "stopped"
        another.kill()


def test_a_training_elsewhere_that_shows_no_life_is_stopped(run: Path) -> None:
    path = observe(run)
    seen = {**json.loads(path.read_text()), "host": "a-node-of-the-cluster"}
    path.write_text(json.dumps(seen))
    assert found(run)["train"].state == "running"
    path.write_text(json.dumps({**seen, "updated": seen["updated"] - 3600}))
    assert found(run)["train"].state == "stopped"


def test_a_job_runs_as_long_as_its_output_goes_to_its_log(run: Path) -> None:
    log = run / "logs/train/one.log"
    with subprocess.Popen(["tee", "results/logs/train/one.log"], cwd=run.parent, stdin=subprocess.PIPE) as tee:
        assert tee.stdin is not None
        while not log.exists():
            time.sleep(0.01)
        os.utime(log, (0, 0))  # silent for years
        assert found(run)["train"].state == "running"
        tee.kill()
    assert found(run)["train"].state == "stopped"
    assert found(run)["train"].why == "no process of it is left: nothing said yet"
    assert found(run)["tabulate"].why == "train one stopped"


def test_every_job_sends_its_output_through_tee_to_its_log() -> None:
    """As whether it runs is told by."""
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        rules = path.read_text()
        assert rules.count("shell:") == rules.count('2>&1 | tee {log}"'), path.name


def test_a_job_on_a_cluster_that_shows_no_life_is_stopped(run: Path) -> None:
    note_plan([job("train", outputs=[MODEL], is_local=False)])
    log = run / "logs/train/one.log"
    log.write_text("step 1\n")
    assert found(run)["train"].state == "running"
    os.utime(log, (0, 0))
    assert found(run)["train"].why.startswith("no sign of life")


def test_a_message_in_the_log_is_why_a_job_failed(run: Path) -> None:
    (run / "logs/train/one.log").write_text("step 1\nreranksmart train: batch size 90 exceeds the 20 captions\n")
    said = json.loads(CliRunner().invoke(app, ["status", "--results", str(run), "--json"]).stdout)
    train = next(each for each in said if each["job"]["rule"] == "train")
    assert train["state"] == "failed"
    assert train["why"] == "reranksmart train: batch size 90 exceeds the 20 captions"
    assert train["last_lines"] == ["step 1", train["why"]]
    assert found(run)["tabulate"].why == "train one failed"


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no run was started here"):
        find(tmp_path / "results")


@pytest.mark.parametrize("folder", ["this", "another"])
def test_what_is_left_in_a_clusters_queue_is_listed_with_the_line_that_ends_it(
    folder: str, run: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue here is a small program; tests/slurm has a real one."""
    programs = tmp_path_factory.mktemp("bin")
    place = run.parent if folder == "this" else programs
    queued = ["12|RUNNING|rule_train_wildcards_oscar", "13_[2-5]|PENDING|group_pages", "14|PENDING|(null)"]
    lines = "".join(f"{job}|{place}\n" for job in queued)
    (programs / "squeue").write_text(f"#!/bin/sh\ncat <<'END'\n{lines}END\n")
    (programs / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    said = CliRunner().invoke(app, ["status", "--results", str(run)]).stdout
    assert ("scancel 12 13_[2-5]\n" in said) == (folder == "this")
    assert ("running train_wildcards_oscar: job 12" in said) == (folder == "this")
    (programs / "squeue").write_text("#!/bin/sh\necho 'cannot contact the controller' >&2\nexit 1\n")
    said = CliRunner().invoke(app, ["status", "--results", str(run)]).stdout
    assert "squeue failed (cannot contact the controller): what is on the cluster is not known." in said
