"""Runs in which a job fails or is killed, through the real Snakemake, and what is said of them."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import interruptions
import pytest
from running import TINY, snakemake

RERANKSMART = str(Path(sys.executable).parent / "reranksmart")


def test_the_run_and_status_say_what_failed_where_and_why(
    tmp_path: Path, copy_workflow: Callable[[Path], Path]
) -> None:
    folder = copy_workflow(tmp_path / "run")
    (folder / "nowhere.yaml").write_text("datasets: {scenes: {stamps: /nowhere/stamps}}\n")
    wanted = "results/indexes/oscar/scenes/joint/seed1/scenes.test"
    done = snakemake(folder, wanted, "--cores", "1", "--retries", "0", "--configfile", TINY, "nowhere.yaml")
    assert done.returncode != 0
    assert re.search(
        r"^\d+ steps on 1 core: about \d+ (s|min) and \d+ MB of disk, of which [\d.]+ [GM]B are free\.",
        done.stdout,
        re.M,
    )
    assert "\n! fetch_stamps: reranksmart fetch-stamps: the stamps' source /nowhere/stamps" in done.stdout
    assert not re.search("RuleException|Building DAG|Provided cores|Select jobs|^Job stats", done.stdout, re.M)
    assert "At least one job did not complete successfully" in done.stdout
    (log,) = (folder / ".snakemake" / "log").iterdir()
    assert "Building DAG of jobs" in log.read_text()
    assert "rule fetch_stamps:" in log.read_text()
    summary = done.stdout.split("1 job failed:")[1]
    assert "fetch_stamps\n" in summary
    assert "  reranksmart fetch-stamps: the stamps' source /nowhere/stamps" in summary
    assert "log: results/logs/fetch_stamps.log" in summary
    assert "| reranksmart fetch-stamps: the stamps' source /nowhere/stamps" in summary

    status = subprocess.run([RERANKSMART, "status"], cwd=folder, text=True, capture_output=True, check=True).stdout
    assert "fetch_stamps: failed: reranksmart fetch-stamps: the stamps' source /nowhere/stamps" in status
    assert "scenes.test: waiting: fetch_stamps failed" in status
    kept = json.loads((folder / "results/failures.json").read_text())
    assert [each["rule"] for each in kept] == ["fetch_stamps"]


def states(folder: Path) -> dict[str, Any]:
    """What ``reranksmart status`` says of each rule's last job; nothing before the run has begun."""
    done = subprocess.run([RERANKSMART, "status", "--json"], cwd=folder, text=True, capture_output=True)
    return {each["job"]["rule"]: each for each in json.loads(done.stdout)} if done.returncode == 0 else {}


def _recall(found: dict[str, Any]) -> float | None:
    training = found.get("train", {}).get("training") or {}
    return training.get("dev_mean_recall")


@pytest.mark.slow
def test_status_follows_a_training_and_says_where_a_killed_run_stopped(fresh: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(fresh, tmp_path / "run")
    (folder / "long.yaml").write_text("objectives: {joint: {steps: 4000, warmup_steps: 2}}\n")
    index = "results/indexes/oscar/scenes/joint/seed1/scenes.test"
    process = interruptions.start(folder, [*interruptions.command([index]), "long.yaml"])
    found: dict[str, Any] = {}
    while not _recall(found) and process.poll() is None:
        time.sleep(1)
        found = states(folder)
    training = found["train"]["training"]
    assert found["train"]["state"] == "running"
    assert training["steps"] == 4000
    assert training["loss"].keys() == {"bi_encoder", "cross_encoder"}
    assert training["seconds_left"] > 0
    assert found["index"]["why"].endswith("is running")

    interruptions.end_all(process, signal.SIGKILL)
    found = states(folder)
    assert found["train"]["state"] == "stopped"
    assert found["train"]["why"] == "the same command continues there"
    assert found["train"]["training"]["step"] >= training["step"]
    assert found["prepare_split"]["state"] == "there"
    assert found["index"]["why"].endswith("stopped")
