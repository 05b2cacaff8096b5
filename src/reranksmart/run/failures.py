"""What failed in a run: each job's message, log and last lines, printed at its end and kept in the results folder."""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reranksmart.files.storage import read_json, write_json
from reranksmart.run.jobs import FAILURES, Job, title_of

_LAST_LINES = 10
_VERB_MESSAGE = re.compile(r"^reranksmart [a-z-]+: .")


@dataclass(frozen=True)
class Failure:
    """A job that failed: its rule and name, what it said, where it said it, and the last lines there."""

    rule: str
    name: str
    outputs: tuple[str, ...]
    message: str
    log: str | None
    last_lines: tuple[str, ...]


def last_lines(log: Path | None) -> tuple[str, ...]:
    """The last lines of a log, without empty ones; none where there is no log."""
    if log is None or not log.exists():
        return ()
    lines = log.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()
    return tuple(line for line in lines if line.strip())[-_LAST_LINES:]


def message_in(lines: tuple[str, ...]) -> str | None:
    """The message with which a command ended, or the last line of a traceback; None where it just stops."""
    said = [line for line in lines if _VERB_MESSAGE.match(line)]
    if said:
        return said[-1]
    return lines[-1] if any(line.startswith("Traceback") for line in lines) else None


def note_failures(failed: Iterable[Any], snakemake_logs: list[str], *, results: Path = Path("results")) -> None:
    """Prints what failed and keeps it for ``reranksmart status``; ``failed`` are Snakemake's jobs and groups."""
    said = "".join(
        Path(log).read_text(encoding="utf-8", errors="replace") for log in snakemake_logs if Path(log).exists()
    )
    failures = sorted(
        (_failure(job, said) for each in failed for job in _jobs_of(each)), key=lambda f: (f.rule, f.name)
    )
    write_json(results / FAILURES, [asdict(failure) for failure in failures])
    if failures:
        print(failures_as_text(failures), file=sys.stderr, flush=True)


def read_failures(results: Path) -> list[Failure]:
    """What failed in the latest run that has ended; nothing while one runs."""
    path = results / FAILURES
    if not path.exists():
        return []
    return [
        Failure(**{**each, "outputs": tuple(each["outputs"]), "last_lines": tuple(each["last_lines"])})
        for each in read_json(path)
    ]


def failures_as_text(failures: list[Failure]) -> str:
    lines = [f"{len(failures)} job{'s' if len(failures) > 1 else ''} failed:", ""]
    for failure in failures:
        lines += [title_of(failure.rule, failure.name), f"  {failure.message}", f"  log: {failure.log or 'none'}"]
        lines += [f"  | {line}" for line in failure.last_lines]
        lines.append("")
    lines += ["Mend the cause and give the same command again: it goes on from what is there."]
    return "\n".join(lines)


def _jobs_of(job: Any) -> Iterator[Any]:
    """The jobs of a group that did not make their outputs; a job alone is its own."""
    if not job.is_group():
        yield job
        return
    for each in job.jobs:
        if not all(Path(path).exists() for path in each.output):
            yield each


def _failure(job: Any, snakemake_said: str) -> Failure:
    planned = Job.of(job)
    lines = last_lines(Path(planned.log) if planned.log else None)
    message = message_in(lines) or _message_of_scheduler(job.jobid, snakemake_said)
    if not message:
        message = "ended without a message: it was killed, or ran out of time or memory, or never started"
    return Failure(planned.rule, planned.name, planned.outputs, message, planned.log, lines)


def _message_of_scheduler(jobid: int, said: str) -> str | None:
    """What Snakemake or the cluster said of a job: the last message of its blocks in Snakemake's own log."""
    blocks = re.findall(rf"^\s+message: (.+?)\n\s+jobid: {jobid}$", said, re.MULTILINE)
    return blocks[-1].split("For further error details")[0].strip() if blocks and blocks[-1] != "None" else None
