"""One cluster for all tests here, and a workflow whose training is long enough to be disturbed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from running import ROOT, TINY, snakemake
from slurm_cluster import Cluster, running_cluster

MODEL = Path("results/models/oscar/scenes/bi_encoder/seed1/model")
OVERLAY = "long.yaml"
CORES = 4


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with running_cluster(folder, cores=CORES, memory_mb=20_000) as started:
        yield started


class Run:
    """Snakemake at work on the cluster with the profile of the project, its jobs on no more than a small node."""

    def __init__(self, cluster: Cluster, folder: Path, *options: str) -> None:
        self.cluster, self.folder = cluster, folder
        command = [str(Path(sys.executable).parent / "snakemake"), *options, "--workflow-profile", "profiles/slurm"]
        command += ["--cores", str(CORES), "--resources", "mem_mb=16000", "--latency-wait", "20"]
        command += ["--slurm-init-seconds-before-status-checks", "3", "--configfile", TINY]
        command += [OVERLAY] if (folder / OVERLAY).exists() else []
        self._said = (folder / "snakemake.out").open("w+")
        self.process = subprocess.Popen(
            command, cwd=folder, env=cluster.environment, stdout=self._said, stderr=subprocess.STDOUT
        )

    def said(self) -> str:
        return (self.folder / "snakemake.out").read_text()

    def finish(self, *, seconds: float) -> None:
        """Waits for the end, which must be a success."""
        assert self.process.wait(timeout=seconds) == 0, self.said()[-5000:]

    def wait_for_training(self, *, steps: int, seconds: float = 900) -> dict:
        """What the training shows as soon as it has done so many steps and saved a state."""
        shown, state = (self.folder / MODEL.parent / "state" / name for name in ("progress.json", "training.pt"))

        def seen() -> dict | None:
            found = json.loads(shown.read_text()) if shown.exists() and state.exists() else None
            return found if found and found["step"] >= steps else None

        return self.wait_until(seen, seconds=seconds)

    def wait_until(self, true: Callable[[], object], *, seconds: float = 900):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := true():
                return found
            assert self.process.poll() is None, f"the run ended too early:\n{self.said()[-5000:]}"
            time.sleep(0.5)
        raise AssertionError(f"not seen within {seconds} seconds:\n{self.said()[-5000:]}")

    def close(self) -> None:
        """Ends Snakemake, which would wait for its jobs, and cancels those."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.cluster.cancel_jobs()
        self._said.close()


@pytest.fixture
def start(cluster: Cluster) -> Iterator[Callable[..., Run]]:
    """Starts Snakemake on the cluster; what is left of it ends with the test."""
    runs: list[Run] = []

    def begin(folder: Path, *options: str) -> Run:
        runs.append(Run(cluster, folder, *options))
        return runs[-1]

    yield begin
    for run in runs:
        run.close()


@pytest.fixture(scope="session")
def new_workflow(stamps_folder: Path) -> Callable[[Path], Path]:
    """Copies the workflow into a new folder, its stamps those of this session."""

    def copy(folder: Path) -> Path:
        folder.mkdir(parents=True)
        for name in ("Snakefile", "config.yaml"):
            shutil.copy(ROOT / name, folder)
        for name in ("workflow", "profiles", "envs"):
            shutil.copytree(ROOT / name, folder / name)
        tiny = folder / TINY
        tiny.write_text(tiny.read_text().replace("stamps: null", f"stamps: {stamps_folder}"))
        return folder

    return copy


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, new_workflow: Callable[[Path], Path]) -> Path:
    """A folder in which a model was trained here, undisturbed, in steps enough to disturb another in the midst."""
    folder = new_workflow(tmp_path_factory.mktemp("undisturbed") / "run")
    overlay = {"steps": 800, "warmup_steps": 2, "evaluate_every": 400, "checkpoint_every": 50}
    (folder / OVERLAY).write_text(json.dumps({"objectives": {"bi_encoder": overlay}}))
    with FileLock(f"{folder}.lock"):
        done = snakemake(folder, str(MODEL), "--cores", "2", "--configfile", TINY, OVERLAY)
    assert done.returncode == 0, done.stdout[-5000:]
    return folder


@pytest.fixture
def untrained(trained: Path, tmp_path: Path) -> Path:
    """A copy of that folder without the model."""
    folder = tmp_path / "run"
    shutil.copytree(trained, folder, symlinks=True)
    shutil.rmtree(folder / MODEL)
    return folder
