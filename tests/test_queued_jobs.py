"""Jobs that a killed run left in a queue; the queue here is two small programs (tests/slurm has a real one)."""

from __future__ import annotations

from pathlib import Path

import pytest

from reranksmart.run.queued_jobs import cancel_queued_jobs, submitted_runs

RUN = "0f4e8bd2-7a0b-4b53-9d34-d2a6f9b3c001"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workflow's folder whose second run submitted jobs to a cluster."""
    logs = tmp_path / "workflow" / ".snakemake" / "log"
    logs.mkdir(parents=True)
    (logs / "2026-01-01T000000.000001.snakemake.log").write_text("Building DAG of jobs...\n")
    (logs / "2026-01-02T000000.000001.snakemake.log").write_text(f"Building DAG of jobs...\nSLURM run ID: {RUN}\n")
    return tmp_path / "workflow"


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the jobs in the queue, which the programs on the path show and empty; ``asked`` is beside it."""
    jobs, asked = tmp_path / "queue", tmp_path / "asked"
    jobs.write_text("")
    asked.write_text("")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, does in (("squeue", f"cat {jobs}"), ("scancel", f": > {jobs}")):
        (programs / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {asked}\n{does}\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return jobs


def asked(queue: Path) -> list[str]:
    return queue.with_name("asked").read_text().splitlines()


def test_the_jobs_of_the_folders_runs_are_cancelled_and_no_others(folder: Path, queue: Path) -> None:
    queue.write_text("12\n13_[2-5]\n")
    cancel_queued_jobs(folder)
    assert submitted_runs(folder) == [RUN]
    assert asked(queue)[0] == f"squeue --noheader --format=%i --name={RUN}"
    assert asked(queue)[1] == "scancel 12 13_[2-5]"
    assert queue.read_text() == ""


def test_an_empty_queue_is_left_alone(folder: Path, queue: Path) -> None:
    cancel_queued_jobs(folder)
    assert [line.split()[0] for line in asked(queue)] == ["squeue"]


def test_a_folder_from_which_nothing_was_submitted_asks_no_cluster(tmp_path: Path, queue: Path) -> None:
    queue.write_text("12\n")
    cancel_queued_jobs(tmp_path)
    assert asked(queue) == []


def test_without_a_cluster_on_this_machine_nothing_is_asked(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    cancel_queued_jobs(folder)


def test_a_queue_that_does_not_answer_stops_the_run(folder: Path, queue: Path) -> None:
    (queue.parent / "bin" / "squeue").write_text("#!/bin/sh\necho 'cannot contact the controller' >&2\nexit 1\n")
    with pytest.raises(RuntimeError, match=r"cannot contact the controller.*Try again when `squeue --me` answers"):
        cancel_queued_jobs(folder)


def test_a_job_that_does_not_end_stops_the_run(folder: Path, queue: Path) -> None:
    queue.write_text("12\n")
    (queue.parent / "bin" / "scancel").write_text("#!/bin/sh\n")
    with pytest.raises(RuntimeError, match=r"still in the queue 0 seconds after they were cancelled: 12\."):
        cancel_queued_jobs(folder, patience_s=0)
