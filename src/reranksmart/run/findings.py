"""The state of every job of a run, as the results folder shows it."""

import os
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reranksmart.run.failures import Failure, last_lines, message_in, read_failures
from reranksmart.run.jobs import PLAN, Job, read_plan
from reranksmart.run.observation import FILE_NAME, Observation
from reranksmart.run.processes import existed, logs_being_written

State = Literal["there", "running", "failed", "stopped", "ready", "waiting"]
_SECONDS_OF_SILENCE = 120  # of a job that runs elsewhere: long steps write every 15 seconds, trainings every five


@dataclass(frozen=True)
class Finding:
    """What is known of a job: its state, why it is in that state, and a training's progress."""

    job: Job
    state: State
    why: str = ""
    last_lines: tuple[str, ...] = ()
    training: Observation | None = None


def find(results: Path) -> list[Finding]:
    """The findings on all jobs of the latest run; its paths are relative to the folder that holds ``results``."""
    return _Run(results).findings()


class _Run:
    def __init__(self, results: Path) -> None:
        self._top = results.absolute().parent
        self._jobs = read_plan(results)
        self._failed: dict[tuple[str, ...], Failure] = {each.outputs: each for each in read_failures(results)}
        self._maker = {output: job for job in self._jobs for output in job.outputs}
        self._logs_being_written = logs_being_written()
        self._sees_all_here = os.geteuid() in (0, (results / PLAN).stat().st_uid)

    def findings(self) -> list[Finding]:
        needed = {path for job in self._jobs if not self._is_there(job.outputs) for path in job.inputs}
        return [
            Finding(job, "there") if job.temporary and not needed.intersection(job.outputs) else self._finding(job)
            for job in self._jobs
        ]

    def _finding(self, job: Job) -> Finding:
        if self._is_there(job.outputs):
            return Finding(job, "there")
        if failure := self._failed.get(job.outputs):
            return Finding(job, "failed", failure.message, failure.last_lines)
        log = self._top / job.log if job.log else None
        lines = last_lines(log)
        message = message_in(lines)
        seen = Observation.read((self._top / job.outputs[0]).parent / "state" / FILE_NAME)
        if seen and self._is_alive(seen):
            return Finding(job, "running", training=seen)
        if log and log.resolve() in self._logs_being_written:
            return Finding(job, "running", lines[-1] if lines else "nothing said yet", lines)
        if seen:
            return Finding(job, "stopped", message or "the same command continues there", lines, seen)
        if log is None or not log.exists():
            cause = self._cause(self._missing(job.inputs))
            return Finding(job, "waiting", cause) if cause else Finding(job, "ready")
        if message:
            return Finding(job, "failed", message, lines)
        last = lines[-1] if lines else "nothing said yet"
        if job.host == socket.gethostname() and self._sees_all_here:
            return Finding(job, "stopped", f"no process of it is left: {last}", lines)
        silence = time.time() - log.stat().st_mtime
        if silence < _SECONDS_OF_SILENCE:
            return Finding(job, "running", last, lines)
        return Finding(job, "stopped", f"no sign of life for {silence / 60:,.0f} minutes: {last}", lines)

    def _is_alive(self, seen: Observation) -> bool:
        """Whether the process is there, or, where it cannot be seen from here, has shown itself lately."""
        if seen.host == socket.gethostname() and self._sees_all_here:
            return existed(seen.pid, at=seen.updated)
        return time.time() - seen.updated < _SECONDS_OF_SILENCE

    def _is_there(self, paths: Iterable[str]) -> bool:
        return not self._missing(paths)

    def _missing(self, paths: Iterable[str]) -> list[str]:
        return [path for path in paths if not (self._top / path).exists()]

    def _cause(self, missing: list[str]) -> str:
        """Why inputs are missing: the first failed job behind them, else the first that has all its inputs."""
        met, waiting, first = set(missing), list(missing), ""
        while waiting:
            path = waiting.pop(0)
            job = self._maker.get(path)
            if job is None:
                return f"{path} is missing, and no rule of the run makes it"
            further = self._missing(job.inputs)
            if not further:
                state = self._finding(job).state
                if state in ("failed", "stopped"):
                    return f"{job.title} {state}"
                first = first or f"needs {job.title}, which is {'running' if state == 'running' else 'next'}"
            waiting += [each for each in further if each not in met]
            met.update(further)
        return first
