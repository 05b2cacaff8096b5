"""The tiny workflow cut short on purpose: which of its jobs can be, when, and what must come of it."""

from __future__ import annotations

import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd
import psutil
from forked_verbs import fork_of
from running import TINY, snakemake

from reranksmart.run.jobs import Job, read_plan

EVERYTHING = ("all", "results/searchable/oscar/scenes/joint_coop/seed1/test")
"""Targets: what no table needs is made by its name."""
ONE_MEASURE = ("results/measures/oscar/scenes/joint_coop/seed1/test",)
SNAKEMAKE = str(Path(sys.executable).parent / "snakemake")
CORES = int(os.environ.get("INTERRUPTION_CORES", "2"))
LIMIT_S = 3600
_SECONDS_BETWEEN_SCANS = 0.05
_PATIENCE_S = 90
_SAID = "said.log"


def command(targets: Iterable[str], *options: str) -> list[str]:
    """The documented command, with no option for broken states."""
    return [SNAKEMAKE, *targets, "--cores", str(CORES), "--configfile", TINY, *options]


def start(folder: Path, line: Sequence[str], *, verbs: Path | None = None) -> subprocess.Popen[bytes]:
    """The command, running; ``verbs`` is a folder of ``forked_verbs``."""
    with (folder / _SAID).open("wb") as file:
        return subprocess.Popen(
            line, cwd=folder, stdout=file, stderr=subprocess.STDOUT, start_new_session=True, env=_environment(verbs)
        )


def unlock(folder: Path) -> None:
    """Removes the lock of a Snakemake that was killed, where one was, as Snakemake says to."""
    if any((folder / ".snakemake" / "locks").glob("*")):
        finish(folder, command([], "--unlock"))


def finish(folder: Path, line: Sequence[str], *, verbs: Path | None = None) -> None:
    """Runs the command to its end, which must be a good one."""
    done = snakemake(folder, *line[1:], programs=verbs)
    assert done.returncode == 0, done.stdout[-5000:]


def said(folder: Path) -> str:
    """What the latest command in the folder printed."""
    return (folder / _SAID).read_text()


def _environment(verbs: Path | None) -> dict[str, str]:
    path = os.environ["PATH"]
    return {**os.environ, "PATH": f"{verbs}:{path}" if verbs else path}


def digest(path: Path, *, timed: bool = False) -> dict[str, str]:
    """What lies at a path: by relative name, each file's sha256, or of a table of times its columns and row count."""
    files = [path] if path.is_file() else sorted(found for found in path.rglob("*") if found.is_file())
    return {
        file.relative_to(path).as_posix(): _shape(file) if timed else hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if not file.name.startswith(".snakemake")
    }


def _shape(file: Path) -> str:
    content = file.read_text()
    assert content.endswith(("\n", "</html>")), f"{file} is cut off"
    if file.suffix != ".csv":
        return "whole"
    table = pd.read_csv(file)
    return f"{list(table.columns)} x {len(table)}"


def outputs(folder: Path, job: Job) -> dict[str, dict[str, str]]:
    """The digests of those outputs of a job that are there."""
    return {path: digest(folder / path, timed=measures_times(job)) for path in job.outputs if (folder / path).exists()}


def partial(folder: Path, undisturbed: Path, jobs: Iterable[Job]) -> list[str]:
    """The outputs that have their final name without their final content."""
    return [
        path for job in jobs for path, found in outputs(folder, job).items() if found != outputs(undisturbed, job)[path]
    ]


def leftovers(folder: Path) -> list[str]:
    """Temporary files that were left in the results folder."""
    hidden = (folder / "results").rglob(".*")
    return [path.relative_to(folder).as_posix() for path in hidden if not path.name.startswith(".snakemake")]


def measures_times(job: Job) -> bool:
    """Whether a job's outputs hold times, which no two runs share; the page says what each step took."""
    return job.rule.startswith("measure_") or job.rule == "report"


def holds_times(job: Job, needed: Iterable[Job]) -> bool:
    """Whether a job measures times, or shows what one of those that it needs has measured."""
    return any(measures_times(each) for each in (job, *needed))


def kind(job: Job) -> str:
    """A job's rule; of a training also its objective and of a pretraining its backbone, which run other code."""
    varying = {"train": -3, "pretrain": -2}
    return f"{job.rule} {job.outputs[0].split('/')[varying[job.rule]]}" if job.rule in varying else job.rule


def groups(jobs: Sequence[Job]) -> list[list[Job]]:
    """A job of every kind, in as few groups as a first fit makes such that none needs another of its group.

    A group can be cut short in one run: making one of its jobs again makes no other one outdated.
    """
    needed = needs(jobs)
    kinds: dict[str, list[Job]] = defaultdict(list)
    for job in sorted(jobs, key=lambda job: len(needed[job])):
        kinds[kind(job)].append(job)
    found: list[list[Job]] = []
    for candidates in kinds.values():
        for group in found:
            apart = [job for job in candidates if not any(job in needed[o] or o in needed[job] for o in group)]
            if apart:
                group.append(apart[0])
                break
        else:
            found.append([candidates[0]])
    return found


def needs(jobs: Sequence[Job]) -> dict[Job, set[Job]]:
    """All jobs that each job needs, those that its inputs' jobs need included."""
    maker = {output: job for job in jobs for output in job.outputs}
    found: dict[Job, set[Job]] = {}

    def of(job: Job) -> set[Job]:
        if job not in found:
            direct = {maker[path] for path in job.inputs if path in maker}
            found[job] = direct.union(*(of(each) for each in direct))
        return found[job]

    for job in jobs:
        of(job)
    return found


def planned(folder: Path) -> list[Job]:
    return read_plan(folder / "results")


def seconds(folder: Path, job: Job) -> float:
    """How long a job took when it last ended well, by Snakemake's own measure."""
    assert job.log is not None
    path = Path(job.log.replace("/logs/", "/benchmarks/")).with_suffix(".tsv")
    return float(pd.read_csv(folder / path, sep="\t")["s"].iloc[0])


def kill_jobs(
    process: subprocess.Popen[bytes],
    moments: Mapping[Job, Sequence[float]],
    look: Callable[[Job], None],
    *,
    verbs: Path,
) -> Counter[Job]:
    """Kills each job whenever it runs, as many seconds after it began as its next moment says, while it has moments.

    Gives how often each was killed until Snakemake ended. ``look`` is given each job that was killed, while Snakemake is
    held so that it cannot clean up first (of other jobs that failed it may just be removing folders); ``verbs`` is the
    folder of ``forked_verbs`` whose program the jobs run.
    """
    scheduler = psutil.Process(process.pid)
    due, killed, scanned = {job: list(each) for job, each in moments.items()}, Counter[Job](), 0.0
    running: dict[Job, psutil.Process] = {}
    while process.poll() is None:
        if time.monotonic() - scanned > _SECONDS_BETWEEN_SCANS:
            running = _forks(scheduler, [job for job in due if due[job]], verbs)
            scanned = time.monotonic()
        for job, fork in list(running.items()):
            if time.time() - fork.create_time() < due[job][0]:
                continue
            del running[job]
            scheduler.suspend()
            with suppress(psutil.NoSuchProcess):
                fork.kill()
                fork.wait(timeout=60)
                killed[job] += 1
                due[job].pop(0)
            look(job)
            scheduler.resume()
        time.sleep(0.01)
    return killed


def _forks(scheduler: psutil.Process, jobs: Sequence[Job], verbs: Path) -> dict[Job, psutil.Process]:
    """The processes of those jobs that run: each one's shell names the job's log and has begun a program of ``verbs``."""
    found = {}
    for shell in children_of(scheduler):
        words = " ".join(words_of(shell))
        for job in jobs:
            if f"tee {job.log}" in words:
                forks = [fork_of(verbs, program.pid) for program in children_of(shell)]
                with suppress(psutil.NoSuchProcess):
                    found.update((job, psutil.Process(fork)) for fork in forks if fork)
    return found


def children_of(process: psutil.Process) -> list[psutil.Process]:
    """All that it started and that these started; empty where it has ended."""
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def words_of(process: psutil.Process) -> list[str]:
    """Its command line; empty where it has ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def end_alone(process: subprocess.Popen[bytes], sent: signal.Signals) -> None:
    """Sends the signal to Snakemake alone; its jobs end with it."""
    jobs = children_of(psutil.Process(process.pid))
    process.send_signal(sent)
    _end_at_last(process)
    assert not psutil.wait_procs(jobs, timeout=60)[1], "jobs outlive their Snakemake"


def end_all(process: subprocess.Popen[bytes], sent: signal.Signals) -> None:
    """Sends the signal to Snakemake and to all that it started, as a power cut or the end of a session does."""
    victims = [psutil.Process(process.pid), *children_of(psutil.Process(process.pid))]
    for victim in victims:
        with suppress(psutil.NoSuchProcess):
            victim.send_signal(sent)
    _end_at_last(process)
    psutil.wait_procs(victims, timeout=60)


def _end_at_last(process: subprocess.Popen[bytes]) -> None:
    """Waits as long as systemd does after SIGTERM, then kills as it does.

    Snakemake 9.27 waits for ever where the signal meets its scheduler with a lock that its handler wants too.
    """
    try:
        process.wait(timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=LIMIT_S)


def require_same(folder: Path, undisturbed: Path, line: Sequence[str], *, verbs: Path | None = None) -> None:
    """Gives the command once more, after which all that it makes must be there with the undisturbed run's bytes."""
    finish(folder, line, verbs=verbs)
    made = [job for job in planned(folder) if not job.temporary]
    assert not [path for job in made for path in job.outputs if not (folder / path).exists()]
    assert not partial(folder, undisturbed, planned(undisturbed))
    assert not leftovers(folder)


def rules_of_the_workflow(root: Path) -> set[str]:
    """The names of all rules in the workflow's files, also of those that use another one."""
    files = [root / "workflow" / "Snakefile", *(root / "workflow" / "rules").glob("*.smk")]
    found = (re.findall(r"^(?:use rule \w+ as|rule) (\w+)\b", path.read_text(), re.MULTILINE) for path in files)
    return {name for names in found for name in names}


def moment(*drawn_by: object) -> random.Random:
    """The generator of one trial."""
    return random.Random(" ".join(map(str, (os.environ.get("INTERRUPTION_SEED", "1"), *drawn_by))))
