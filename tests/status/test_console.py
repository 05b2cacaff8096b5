"""What a run says on the screen, and how true the time is that it says is left."""

from __future__ import annotations

import heapq
import io
import logging
import random
import re
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reranksmart.run.console import Console, duration
from reranksmart.run.jobs import Job
from reranksmart.run.time_left import Timing


def job(rule: str, name: str, *needs: str, seconds: float, threads: int = 1, log: str | None = None) -> Job:
    return Job(rule, needs, (name,), log, seconds=seconds, threads=threads)


def a_run() -> list[Job]:
    """Jobs as of the default: splits, long detections, trainings, evaluations, then tables and one exclusive measurement."""
    splits = [job("prepare_split", f"split{n}", seconds=6 + 2 * n) for n in range(6)]
    regions = [job("extract_regions", f"regions{n}", f"split{n}", seconds=15 + 30 * n) for n in range(6)]
    trainings = [job("train", f"model{n}", "regions0", "regions5", seconds=60 + 20 * (n % 4)) for n in range(12)]
    measures = [job("evaluate", f"measures{n}", f"model{n}", seconds=15) for n in range(12)]
    tables = [job("tabulate", f"table{n}", *(f"measures{m}" for m in range(12)), seconds=4) for n in range(16)]
    return [
        *splits,
        *regions,
        *trainings,
        *measures,
        job("measure_latency", "latency", "model3", seconds=60, threads=2),
        *tables,
    ]


def run(jobs: list[Job], takes: dict[Job, float], cores: int) -> dict[Job, tuple[float, float]]:
    """When each job begins and ends, in the order of the list."""
    found: dict[Job, tuple[float, float]] = {}
    maker = {job.outputs[0]: job for job in jobs}
    waiting, ends, now, free = list(jobs), [], 0.0, cores
    while waiting or ends:
        for each in list(waiting):
            ready = all(maker[path] in found and found[maker[path]][1] <= now for path in each.inputs)
            if ready and each.threads <= free:
                found[each] = (now, now + takes[each])
                free -= each.threads
                waiting.remove(each)
                heapq.heappush(ends, (found[each][1], each.outputs[0]))
        now, ended = heapq.heappop(ends)
        free += maker[ended].threads
    return found


@pytest.mark.parametrize("seed", range(5))
def test_after_a_fifth_the_time_left_is_true_within_a_factor_of_one_and_a_half(seed: int) -> None:
    """On a machine of another speed, on which each rule differs from what was expected and each job from its rule."""
    draw, jobs = random.Random(seed), a_run()
    machine = draw.choice([0.4, 1.0, 3.0])
    by_rule: defaultdict[str, float] = defaultdict(lambda: machine * draw.uniform(0.75, 1.35))
    happened = run(jobs, {job: job.seconds * by_rule[job.rule] * draw.uniform(0.9, 1.1) for job in jobs}, cores=2)
    end, timing, done = max(end for _, end in happened.values()), Timing(jobs, 2), set[Job]()
    looked = 0
    for now in (end * share / 100 for share in range(1, 98)):
        for each in sorted(
            (job for job in jobs if happened[job][1] <= now and job not in done), key=lambda job: happened[job][1]
        ):
            timing.took(each, happened[each][1] - happened[each][0])
            done.add(each)
        elapsed = {job: now - began for job, (began, ended) in happened.items() if began <= now < ended}
        if now > end / 5:
            left = timing.seconds_left(elapsed, done)
            assert (end - now) / 1.5 - 0.02 * end <= left <= (end - now) * 1.5 + 0.02 * end, (
                now / end,
                left,
                end - now,
            )
            looked += 1
    assert looked > 70


def test_what_a_failed_job_keeps_from_being_made_takes_no_time() -> None:
    first, second, other = (
        job("train", "model", seconds=100),
        job("evaluate", "measures", "model", seconds=50),
        job("plot", "figure", seconds=7),
    )
    timing = Timing([first, second, other], 1)
    assert timing.seconds_left({}, set()) == 157
    assert timing.seconds_left({}, set(), {first}) == 7


def test_a_job_s_own_log_says_how_long_it_still_takes(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("train: 10/400, 0.5/s, 99:00 left\ntrain: 20/400, 0.5/s, 13:00 left\n")
    training = job("train", "model", seconds=60, log=str(log))
    assert Timing([training], 1).seconds_left({training: 40.0}, set()) == 13 * 60


def record(event: str | None, message: str = "", level: int = logging.INFO, **fields: Any) -> logging.LogRecord:
    found = logging.LogRecord("snakemake", level, __file__, 1, message, (), None)
    vars(found).update(fields, **({"event": event} if event else {}))
    return found


def snakemake_job(jobid: int, rule: str, *outputs: str, log: Path | None = None) -> SimpleNamespace:
    return SimpleNamespace(
        jobid=jobid,
        rule=SimpleNamespace(name=rule),
        wildcards={},
        input=[],
        output=list(outputs),
        temp_output=set(),
        log=[str(log)] if log else [],
        is_local=True,
        threads=1,
        priority=0,
    )


def test_the_console_says_the_plan_each_table_failures_and_errors_and_no_more(tmp_path: Path) -> None:
    said = io.StringIO()
    console = Console(logging.StreamHandler(said))
    table, broken = tmp_path / "depth.log", tmp_path / "broken.log"
    table.write_text("Table 8: how many candidates to re-rank: Sep+Coop, IR R@1: 91.0\n")
    broken.write_text("reranksmart train: no such thing.\n")
    jobs = [
        snakemake_job(1, "tabulate", "results/tables/depth.csv", log=table),
        snakemake_job(2, "train", "results/models/a", log=broken),
        snakemake_job(3, "report", "results/report.html", "results/summary.txt"),
    ]
    console.emit(record("workflow_started", "Workflow has started!"))
    console.emit(record(None, "Building DAG of jobs..."))
    console.begin(jobs, cores=2, estimate=lambda rule, wildcards: (600.0, 700.0))
    for number in (1, 3):
        console.emit(record("job_info", "a rule", jobid=number))
        console.emit(record("job_finished", "finished", job_id=number))
    console.emit(record("job_info", "a rule", jobid=2))
    assert (
        console.progress().startswith("0%, 2 of 3 steps, 10 min left: train ") or "2 of 3 steps" in console.progress()
    )
    console.emit(record("job_error", "an error", logging.ERROR, jobid=2))
    console.emit(record(None, "RuleException:\nCalledProcessError in file", logging.ERROR))
    console.emit(record(None, "MissingInputException: nothing makes it", logging.ERROR))
    console.end()
    console.emit(record(None, "afterwards"))
    lines = re.sub(r"in \d+ s", "in 0 s", said.getvalue()).splitlines()
    assert lines[0].startswith("3 steps on 2 cores: about 20 min and 2.1 GB of disk, of which ")
    assert lines[0].endswith(" It makes 1 model, 1 table.")
    assert lines[1:] == [
        "Table 8: how many candidates to re-rank: Sep+Coop, IR R@1: 91.0",
        f"! train broken: reranksmart train: no such thing. ({broken})",
        "MissingInputException: nothing makes it",
        "2 steps in 0 s.",
        "Everything is in results/report.html, the short of it in results/summary.txt.",
        "afterwards",
    ]


def test_on_a_cluster_snakemake_speaks_for_itself() -> None:
    said = io.StringIO()
    console = Console(logging.StreamHandler(said))
    console.emit(record("workflow_started", "Workflow has started!"))
    console.emit(record(None, "Building DAG of jobs..."))
    console.begin([], cores=None, estimate=lambda rule, wildcards: (0.0, 0.0))
    console.emit(record(None, "SLURM run ID: 5"))
    assert said.getvalue() == "Workflow has started!\nBuilding DAG of jobs...\nSLURM run ID: 5\n"


def test_a_terminal_has_one_line_that_is_written_over() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    console = Console(logging.StreamHandler(said := Terminal()))
    console.begin(
        [snakemake_job(1, "plot", "a"), snakemake_job(2, "plot", "b")], cores=1, estimate=lambda *_: (5.0, 1.0)
    )
    for number in (1, 2):
        console.emit(record("job_info", "", jobid=number))
        console.emit(record("job_finished", "", job_id=number))
    console.end()
    first, *shown = said.getvalue().split("\r\x1b[2K")
    assert first.count("\n") == 1
    assert any("%, 2 of 2 steps, 0 s left" in line for line in shown)
    assert re.fullmatch(r"2 steps in \d+ s\.\n", shown[-1])
    assert all("\n" not in line for line in shown[:-1])


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(5, "5 s"), (89, "89 s"), (100, "2 min"), (7100, "118 min"), (7300, "2 h 2 min"), (4e5, "5 days")],
)
def test_durations_are_said_as_people_do(seconds: float, said: str) -> None:
    assert duration(seconds) == said
