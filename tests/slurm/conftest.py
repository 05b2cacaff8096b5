"""One cluster for all tests here, and a workflow whose training is long enough to be disturbed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forked_verbs import forked_verbs
from running import ROOT, TINY
from slurm_cluster import Cluster, running_cluster

MODEL = Path("results/models/oscar/scenes/bi_encoder/seed1/model")
PROFILE = Path("profiles/slurm/config.yaml")
OVERLAY = "long.yaml"
CHECKPOINT_EVERY = 50


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster without accounting."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


def snakemake_command(folder: Path, *options: str) -> list[str]:
    overlay = [OVERLAY] if (folder / OVERLAY).exists() else []
    return [str(Path(sys.executable).parent / "snakemake"), *options, "--configfile", TINY, *overlay]


class Run:
    """Snakemake at work on the cluster, in a folder that ``new_workflow`` made."""

    def __init__(self, cluster: Cluster, folder: Path, *targets: str) -> None:
        self.cluster, self.folder, self._targets = cluster, folder, targets
        self._said = (folder / "snakemake.out").open("a")
        self._start()

    def _start(self) -> None:
        self.process = subprocess.Popen(
            self._command(), cwd=self.folder, env=self.cluster.environment, stdout=self._said, stderr=subprocess.STDOUT
        )

    def _command(self) -> list[str]:
        return snakemake_command(self.folder, *self._targets, "--workflow-profile", "profiles/slurm")

    def said(self) -> str:
        return (self.folder / "snakemake.out").read_text()

    def jobs_of(self, rule: str) -> list[dict[str, str]]:
        return self.cluster.jobs_of(rule, folder=self.folder)

    def finish(self, *, seconds: float = 1800) -> None:
        """Waits for the end, which must be a success."""
        assert self.process.wait(timeout=seconds) == 0, self.said()[-5000:]

    def kill(self) -> None:
        """Kills Snakemake as the kernel does, so that nothing of it cleans up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def again(self) -> None:
        """Gives the same command again."""
        self._start()

    def unlock(self) -> None:
        """Removes the lock of the killed Snakemake, as the next one says to."""
        self._call(*snakemake_command(self.folder, "--unlock", "--cores", "1"))

    def status(self) -> str:
        """What ``reranksmart status`` says of the folder."""
        return self._call(str(Path(sys.executable).parent / "reranksmart"), "status")

    def log_of_training(self) -> str:
        return next((self.folder / "results" / "logs" / "train").glob("*bi_encoder*")).read_text()

    def _call(self, *words: str) -> str:
        return subprocess.run(
            words, cwd=self.folder, env=self.cluster.environment, check=True, capture_output=True, text=True
        ).stdout

    def refused(self) -> str:
        """What a second Snakemake says that is started beside this one, and must not begin."""
        second = subprocess.run(
            self._command(), cwd=self.folder, env=self.cluster.environment, capture_output=True, text=True, timeout=600
        )
        assert second.returncode != 0
        return second.stdout + second.stderr

    def wait_for_checkpoint(self) -> int:
        """The process of the training, as soon as it has saved a state for the first time."""
        state = self.folder / MODEL.parent / "state" / "training.pt"
        self.wait_until(state.exists)
        return self._training()["pid"]

    def require_continued(self, process: int) -> None:
        """The first step that another process shows of the training comes after a state, not at the beginning."""

        def of_another() -> dict | None:
            found = self._training()
            return found if found.get("pid", process) != process else None

        assert self.wait_until(of_another)["step"] > CHECKPOINT_EVERY, "began anew"

    def _training(self) -> dict:
        shown = self.folder / MODEL.parent / "state" / "progress.json"
        return json.loads(shown.read_text()) if shown.exists() else {}

    def wait_until(self, true: Callable[[], object], *, seconds: float = 900):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := true():
                return found
            assert self.process.poll() is None, f"the run ended too early:\n{self.said()[-5000:]}"
            time.sleep(0.3)
        raise AssertionError(f"not seen within {seconds} seconds:\n{self.said()[-5000:]}")

    def close(self) -> None:
        """Ends Snakemake, which would wait for its jobs, and cancels those."""
        if self.process.poll() is None:
            self.kill()
        self.cluster.cancel_jobs()
        self._said.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Run]]:
    """Starts Snakemake on a cluster; what is left of it ends with the test."""
    runs: list[Run] = []

    def begin(cluster: Cluster, folder: Path, *targets: str) -> Run:
        runs.append(Run(cluster, folder, *targets))
        return runs[-1]

    yield begin
    for run in runs:
        run.close()


def adapt(folder: Path, *changes: tuple[str, str]) -> None:
    """Changes the profile of a workflow as a user does."""
    profile = folder / PROFILE
    text = profile.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    profile.write_text(text)


def minutes(limit: str) -> int:
    """A time limit as SLURM shows it, ``[days-]hours:minutes:seconds``."""
    days, _, clock = limit.rpartition("-")
    hours, rest, _ = clock.split(":")
    return int(days or 0) * 1440 + int(hours) * 60 + int(rest)


def megabytes(memory: str) -> int:
    """An amount of memory as SLURM shows it: ``1501M``, ``2G``."""
    return int(memory[:-1]) * {"M": 1, "G": 1024}[memory[-1]]


@pytest.fixture(scope="session")
def new_workflow(stamps_folder: Path) -> Callable[[Path], Path]:
    """Copies the workflow into a new folder, with this session's stamps, and the profile for a node of the tests."""

    def copy(folder: Path) -> Path:
        folder.mkdir(parents=True)
        for name in ("Snakefile", "config.yaml"):
            shutil.copy(ROOT / name, folder)
        for name in ("workflow", "profiles", "envs"):
            shutil.copytree(ROOT / name, folder / name)
        tiny = folder / TINY
        tiny.write_text(tiny.read_text().replace("stamps: null", f"stamps: {stamps_folder}"))
        adapt(
            folder,
            ("cores: 16", "cores: 4"),
            ("mem_mb: 60000", "mem_mb: 16000"),
            ("slurm-init-seconds-before-status-checks: 20", "slurm-init-seconds-before-status-checks: 3"),
        )
        return folder

    return copy


@pytest.fixture(scope="session")
def locally(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., None]]:
    """Runs the workflow in a folder without a cluster; its verbs need not import everything anew."""
    with forked_verbs(tmp_path_factory.mktemp("forked") / "bin") as verbs:
        environment = {**os.environ, "PATH": f"{verbs}:{os.environ['PATH']}"}

        def run(folder: Path, *options: str) -> None:
            command = snakemake_command(folder, *options, "--cores", "2")
            done = subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True)
            assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]

        yield run


@pytest.fixture(scope="session")
def trained(
    tmp_path_factory: pytest.TempPathFactory,
    new_workflow: Callable[[Path], Path],
    locally: Callable[..., None],
) -> Path:
    """A folder in which a model was trained without a cluster, undisturbed, in steps enough to disturb another."""
    folder = new_workflow(tmp_path_factory.mktemp("undisturbed") / "run")
    overlay = {"steps": 500, "warmup_steps": 2, "evaluate_every": 250, "checkpoint_every": CHECKPOINT_EVERY}
    (folder / OVERLAY).write_text(json.dumps({"objectives": {"bi_encoder": overlay}}))
    locally(folder, str(MODEL))
    return folder


@pytest.fixture
def untrained(trained: Path, tmp_path: Path) -> Path:
    """A copy of that folder without the model."""
    folder = tmp_path / "run"
    shutil.copytree(trained, folder, symlinks=True)
    shutil.rmtree(folder / MODEL)
    return folder
