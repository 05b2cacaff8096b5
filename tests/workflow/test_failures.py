"""A run in which a job fails, through the real Snakemake."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from running import TINY, snakemake


def test_the_run_and_status_say_what_failed_where_and_why(
    tmp_path: Path, copy_workflow: Callable[[Path], Path]
) -> None:
    folder = copy_workflow(tmp_path / "run")
    (folder / "nowhere.yaml").write_text("datasets: {scenes: {stamps: /nowhere/stamps}}\n")
    wanted = "results/indexes/oscar/scenes/joint/seed1/scenes.test"
    done = snakemake(folder, wanted, "--cores", "1", "--retries", "0", "--configfile", TINY, "nowhere.yaml")
    assert done.returncode != 0
    summary = done.stdout.split("1 job failed:")[1]
    assert "fetch_stamps fetch_stamps\n" in summary
    assert "  reranksmart fetch-stamps: the stamps' source /nowhere/stamps" in summary
    assert "log: results/logs/fetch_stamps.log" in summary
    assert "| reranksmart fetch-stamps: the stamps' source /nowhere/stamps" in summary

    command = [str(Path(sys.executable).parent / "reranksmart"), "status"]
    status = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=True).stdout
    assert "fetch_stamps fetch_stamps: failed: reranksmart fetch-stamps: the stamps' source /nowhere/stamps" in status
    assert "scenes.test: waiting: fetch_stamps fetch_stamps failed" in status
    kept = json.loads((folder / "results/failures.json").read_text())
    assert [each["rule"] for each in kept] == ["fetch_stamps"]
