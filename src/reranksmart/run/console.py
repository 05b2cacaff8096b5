"""What a run says on the screen: what it will make, one line of progress, each table as it is done, what failed.

Snakemake's own output goes to its log file alone while a run on this machine is going on. It stays on the screen in a
dry run, on a cluster, with ``--verbose``, ``--printshellcmds`` or ``--quiet``, and beside another logger plugin.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from reranksmart.run.failures import last_lines, message_in
from reranksmart.run.jobs import Job
from reranksmart.run.time_left import Timing

_BEHIND = "DefaultStreamHandler"  # as Snakemake calls its own
_SAID_ANYHOW = ("Nothing to be done", "Complete log", "Terminating processes", "Will exit after")
_SAID_OTHERWISE = ("RuleException:\nCalledProcessError", "Exiting because a job execution failed")
_TICK_S = {True: 1.0, False: 60.0}  # on a terminal, where the line is written over, and elsewhere
_BAR = 20

Estimate = Callable[[str, Any], tuple[float, float]]
"""The seconds and megabytes that a job of a rule with these wildcards is expected to take."""


class Console(logging.Handler):
    """Stands before Snakemake's own handler, ``behind``, in a run that it is told of; it is off where there is none."""

    def __init__(self, behind: logging.StreamHandler[Any] | None) -> None:
        super().__init__()
        self.is_on = behind is not None
        self._behind = behind or logging.StreamHandler()
        self._stream = self._behind.stream
        self._terminal = self._stream.isatty()
        self._held: list[logging.LogRecord] | None = None
        self._jobs: dict[int, Job] | None = None
        self._started: dict[Job, float] = {}
        self._done: set[Job] = set()
        self._failed: set[Job] = set()
        self._shown = 0.0
        self._ended = threading.Event()

    def begin(self, jobs: Iterable[Any], *, cores: int | None, estimate: Estimate) -> None:
        """Says what a run will make. ``jobs`` are Snakemake's; ``cores`` is None where others than this machine compute."""
        held, self._held = self._held or [], None
        if not self.is_on or not cores:
            for record in held:
                self._behind.handle(record)
            return
        disk, planned = 0.0, {}
        for job in jobs:
            if job.output:
                seconds, megabytes = estimate(job.rule.name, job.wildcards)
                own = replace(Job.of(job), seconds=seconds, threads=job.threads, priority=job.priority)
                planned[job.jobid] = own
                disk += megabytes
        self._began = time.monotonic()
        self._timing = Timing(list(planned.values()), cores)
        left = self._timing.seconds_left({}, set())
        self._line(
            f"{_count(len(planned), 'step')} on {_count(cores, 'core')}: about {duration(left)} and {_size(disk)} of disk, of "
            f"which {_size(shutil.disk_usage('.').free / 1e6)} are free.{_counted(planned.values())}"
        )
        self._jobs = planned
        threading.Thread(target=self._tick, daemon=True).start()

    def end(self) -> None:
        """Lets Snakemake speak for itself again, once it is said how long the run took and where its page is."""
        if self._jobs is None:
            return
        self._ended.set()
        with self.lock or threading.RLock():
            self._clear()
            self._line(f"{_count(len(self._done), 'step')} in {duration(time.monotonic() - self._began)}.")
            for job in self._done:
                if job.rule == "report":
                    self._line(f"Everything is in {job.outputs[0]}, the short of it in {job.outputs[1]}.")
            self._jobs = None

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        if event == "workflow_started":
            self._held = []
        said = str(record.msg or "")
        loud = record.levelno >= logging.WARNING and event not in ("job_error", "group_error")
        if said.startswith(_SAID_OTHERWISE) and self._jobs is not None:
            return
        if (self._held is None and self._jobs is None) or loud or said.startswith(_SAID_ANYHOW):
            self._clear()
            self._behind.handle(record)
        elif self._held is not None:
            self._held.append(record)
            if event == "job_info":  # a run that began without hooks
                self.begin([], cores=None, estimate=lambda rule, wildcards: (0.0, 0.0))
        elif event == "job_info":
            self._start(record.jobid)  # type: ignore[attr-defined]
        elif event == "job_finished":
            self._finish(record.job_id)  # type: ignore[attr-defined]
        elif event == "job_error":
            self._fail(record.jobid)  # type: ignore[attr-defined]

    def _start(self, jobid: int) -> None:
        if job := (self._jobs or {}).get(jobid):
            self._started[job] = time.monotonic()
            self._failed.discard(job)

    def _finish(self, jobid: int) -> None:
        job = (self._jobs or {}).get(jobid)
        if job is None:
            return
        self._timing.took(job, time.monotonic() - self._started.pop(job, time.monotonic()))
        self._done.add(job)
        if job.rule == "tabulate":
            said = last_lines(Path(job.log)) if job.log else ()
            self._line(said[-1] if said else job.name)
        if self._terminal:
            self._show()

    def _fail(self, jobid: int) -> None:
        job = (self._jobs or {}).get(jobid)
        if job is None:
            return
        self._started.pop(job, None)
        self._failed.add(job)
        message = message_in(last_lines(Path(job.log) if job.log else None)) or "ended without a message"
        self._line(f"! {job.title}: {message} ({job.log})")

    def _tick(self) -> None:
        while not self._ended.wait(_TICK_S[self._terminal]):
            with self.lock or threading.RLock():
                if not self._ended.is_set():
                    self._show()

    def _show(self) -> None:
        line = self.progress()
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r\x1b[2K{line[:width]}")
        else:
            self._stream.write(f"{line}\n")
        self._stream.flush()

    def progress(self) -> str:
        """``[#####     ] 38 %, 54 of 143 steps, 3 min left: train oscar.scenes.joint.seed1``."""
        now = time.monotonic()
        elapsed = {job: now - began for job, began in list(self._started.items())}
        left = self._timing.seconds_left(elapsed, self._done, self._failed)
        share = (now - self._began) / max(now - self._began + left, 1e-9)
        bar = f"[{'#' * int(share * _BAR):{_BAR}}] " if self._terminal else ""
        running = ", ".join(job.title for job in elapsed)
        steps = f"{len(self._done)} of {len(self._jobs or {})} steps"
        return f"{bar}{share:.0%}, {steps}, {duration(left)} left: {running or 'the next step is chosen'}"

    def _line(self, text: str) -> None:
        self._clear()
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def _clear(self) -> None:
        if self._terminal and self._jobs is not None:
            self._stream.write("\r\x1b[2K")


def console(workflow: Any) -> Console:
    """The console, in the place of Snakemake's own output unless that is to stay.

    A workflow that imports these rules keeps its own, and so does each job.
    """
    settings, logger = workflow.logger_manager.settings, workflow.logger_manager.logger
    own = workflow.is_main_process and workflow.modifier.is_main_snakefile()
    if not own or settings.dryrun or settings.verbose or settings.printshellcmds or settings.quiet:
        return Console(None)
    behind = next((handler for handler in logger.handlers if handler.name == _BEHIND), None)
    found = Console(behind)
    if behind:
        logger.removeHandler(behind)
        logger.addHandler(found)
    return found


def duration(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3 h 20 min`` or ``4 days``."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours < 48 else f"{hours / 24:.0f} days"


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _size(megabytes: float) -> str:
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"


def _counted(jobs: Any) -> str:
    """What is made of each kind that a reader knows."""
    kinds = {"train": "model", "evaluate": "evaluation", "tabulate": "table", "plot": "figure"}
    counts = {noun: sum(job.rule == rule for job in jobs) for rule, noun in kinds.items()}
    told = ", ".join(_count(count, noun) for noun, count in counts.items() if count)
    return f" It makes {told}." if told else ""
